/** The trainer process: fits models when somebody asks, one job at a time, at the lowest priority, and makes shadow versions of them. */
import { openBus } from "#bus/open.ts";
import { openStore } from "#store/open.ts";
import { runAgent } from "#supervise/agent-runtime.ts";
import { modelRulesOf, startModelWatch } from "#train/model-watch.ts";
import { findTrainingSources } from "#train/sources.ts";
import { Trainer } from "#train/trainer.ts";

runAgent("trainer", async ({ config, paths, log, ready }) => {
  const bus = await openBus(config, paths, log, "trainer");
  const store = openStore(config, paths);
  const trainer = new Trainer({
    ...{ bus, store, log, nowMs: Date.now, folder: paths.training, modelsDir: paths.models, mode: config.mode },
    ...findTrainingSources(),
    pythonDir: config["training.pythonDir"] || paths.trainingPython,
    torchPython: config["training.torchPython"],
    rowsMin: config["training.rowsMin"],
  });
  trainer.start();
  const stopWatch = startModelWatch({ store, modelsDir: paths.models, rules: modelRulesOf(config), log });
  ready();
  return async () => {
    await Promise.all([trainer.stop(), stopWatch()]);
    await Promise.all([bus.close(), store.close()]);
  };
});
