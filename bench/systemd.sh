#!/usr/bin/env bash
# The units under a real systemd, without a machine for it: `bun run dist && bench/systemd.sh` as root, some two minutes.
#
# systemd is process 1 of its own namespaces (processes, mounts, network, names, control groups). Its root is an overlay over
# this machine's, whose upper layer is in memory: what it writes, and what systemd-tmpfiles clears, is gone with it. /proc/sys
# and /sys cannot be written. Printed: the supervised layout's start, status, reload, kill -9, watchdog and stop. A control group of version 2 must be mounted, here at /sys/fs/cgroup/unified or /sys/fs/cgroup.
set -euo pipefail
SECONDS_MAX=200
self=$(readlink -f "$0")

outer() {
  dist=$(readlink -f "$(dirname "$self")/../dist")
  test -x "$dist/sandpiper" || { echo "Cannot start systemd: bun run dist first" >&2; exit 1; }
  work=$(mktemp -d)
  mkdir "$work/memory" "$work/told"
  group=/sys/fs/cgroup/unified
  test -e $group/cgroup.procs || group=/sys/fs/cgroup
  group=$group/sandpiper-systemd-$$
  mkdir "$group"
  cp "$self" "$work/told/report.sh"
  bash -c 'echo $$ >"$1/cgroup.procs"; exec timeout -s KILL "$2" unshare --mount --pid --fork --kill-child=KILL \
    --net --uts --ipc --cgroup bash "$3" inner "$4" "$5"' bash "$group" $SECONDS_MAX "$self" "$work" "$dist" \
    >"$work/console" 2>&1 &
  starting=$!
  # It ends with the report; systemd itself would go on.
  while kill -0 $starting 2>/dev/null && ! grep -qs "^done$" "$work/told/report"; do sleep 1; done
  kill -KILL -- $(pgrep -P $starting) 2>/dev/null || true
  wait $starting 2>/dev/null || true
  cat "$work/told/report" 2>/dev/null || tail -30 "$work/console"
  find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  rm -r "$work"
}

inner() {
  work=$1 dist=$2
  mount --make-rprivate /
  mount -t tmpfs -o size=6g tmpfs "$work/memory"
  mkdir "$work/memory/upper" "$work/memory/work" "$work/memory/root"
  root=$work/memory/root
  mount -t overlay overlay -o "lowerdir=/,upperdir=$work/memory/upper,workdir=$work/memory/work" "$root"
  mount -t proc proc "$root/proc"
  mount --bind "$root/proc/sys" "$root/proc/sys"
  mount -o remount,ro,bind "$root/proc/sys"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs tmpfs "$root/dev"
  for device in null:3 zero:5 full:7 random:8 urandom:9; do mknod -m 666 "$root/dev/${device%%:*}" c 1 "${device##*:}"; done
  mknod -m 666 "$root/dev/tty" c 5 0
  ln -s /proc/self/fd "$root/dev/fd"
  ln -s pts/ptmx "$root/dev/ptmx"
  mkdir "$root/dev/shm" "$root/dev/pts"
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  mkdir -p "$root/opt/sandpiper/current" "$root/srv" "$root/mnt/old"
  cp -r "$dist/." "$root/opt/sandpiper/current"
  mount --bind "$work/told" "$root/srv"
  for folder in run tmp var/tmp; do mount -t tmpfs -o mode=1777 tmpfs "$root/$folder"; done
  chmod 755 "$root/run"
  ip link set lo up
  units=$root/etc/systemd/system
  printf '[Unit]\nWants=report.service\n' >"$units/report.target"
  printf '[Service]\nType=oneshot\nExecStart=/bin/bash /srv/report.sh report\nStandardOutput=file:/srv/report\nStandardError=inherit\n' >"$units/report.service"
  # What is about a machine's own hardware, disks and clocks.
  for unit in udevd udev-trigger sysctl tmpfiles-setup-dev modules-load remount-fs random-seed logind; do
    ln -sf /dev/null "$units/systemd-$unit.service"
  done
  for unit in dev-hugepages dev-mqueue sys-kernel-debug sys-kernel-tracing sys-fs-fuse-connections; do
    ln -sf /dev/null "$units/$unit.mount"
  done
  : >"$root/etc/fstab"
  echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
  cd "$root"
  pivot_root . mnt/old
  umount -l /mnt/old
  # From here nothing of the machine can be reached; without that, no systemd.
  test "$(stat -f -c %T /)" = overlayfs && test -z "$(ls -A /mnt/old)"
  /opt/sandpiper/current/sandpiper service install
  systemd-sysusers sandpiper.conf
  mkdir -p /etc/sandpiper
  exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=report.target --log-target=console
}

show() {
  echo "$(systemctl show "$1" -p ActiveState,SubState,NRestarts,Result,StatusText | tr '\n' ' ')"
}

wait_active() {
  for _ in $(seq 40); do
    [ "$(systemctl is-active "$1")" = active ] && break
    sleep 0.5
  done
  show "$1"
}

# ms between two of a unit's moments, which systemd keeps in microseconds.
between() {
  echo $((($(systemctl show -P "$3TimestampMonotonic" "$1") - $(systemctl show -P "$2TimestampMonotonic" "$1")) / 1000))
}

# Kills the main process and waits for READY=1 of the next one: ms from the one to the other.
killed() {
  before=$(systemctl show -P ActiveEnterTimestampMonotonic "$1")
  kill -9 "$(systemctl show -P MainPID "$1")"
  for _ in $(seq 300); do
    if [ "$(systemctl is-active "$1")" = active ] && [ "$(systemctl show -P ActiveEnterTimestampMonotonic "$1")" != "$before" ]; then
      between "$1" ActiveExit ActiveEnter
      return
    fi
    sleep 0.1
  done
  echo never
}

supervised() {
  unit=sandpiper.service
  systemctl start $unit
  echo "start:    $(wait_active $unit), ready after $(between $unit InactiveExit ActiveEnter) ms"
  page=$(grep -o '"page":"[^"]*"' /var/lib/sandpiper/data/run/report.json | cut -d'"' -f4)
  states() { curl -s "${page}api/status" | grep -o '"name":"[a-z]*","pid":[0-9]*,"state":"[a-z]*","core":"[a-z0-9]*","restarts":[0-9]*' | tr -d '"' | sed 's/name://; s/pid:[0-9]*,//; s/core:[a-z0-9]*,//' | tr '\n' ' '; }
  echo "serves:   user $(stat -c %U /var/lib/sandpiper/data), $(curl -s "${page}health")"
  systemctl reload $unit
  echo "reload:   code $?"
  sleep 12
  echo "          $(show $unit)"
  echo "          $(states)"
  for _ in 1 2 3; do echo "kill -9:  all ready again after $(killed $unit) ms, $(show $unit)"; done
  kill -STOP "$(systemctl show -P MainPID $unit)"
  sleep 14
  echo "watchdog: $(wait_active $unit)"
  systemctl stop $unit
  echo "stop:     code $? $(show $unit)"
}

one_per_process() {
  # sandpiper.target wants what every mode needs; the market in the box is enabled beside it.
  systemctl enable --quiet sandpiper-sim.service
  systemctl start sandpiper.target
  units="clickhouse sim feed arbitrage mev recorder gateway guard trainer"
  for name in $units; do wait_active sandpiper-$name.service >/dev/null; done
  printf '%-12s %-10s %14s %10s %22s\n' unit state 'ready after' exposure 'again after kill -9'
  for name in $units; do
    unit=sandpiper-$name.service
    state=$(systemctl is-active $unit)
    ready=$(between $unit InactiveExit ActiveEnter)
    exposure=$(systemd-analyze security --no-pager $unit | grep -o 'exposure level for [^:]*: [0-9.]*' | grep -o '[0-9.]*$')
    printf '%-12s %-10s %11s ms %10s %19s ms\n' $name "$state" "$ready" "$exposure" "$(killed $unit)"
  done
  landed() { curl -s "${page}api/status" | grep -o '"landed":[0-9]*' | head -1; }
  before=$(landed)
  sleep 10
  echo "together: $before, 10 s later $(landed), $(curl -s "${page}health")"
  # systemd's own limit would be five starts in ten seconds.
  for _ in $(seq 8); do last=$(killed sandpiper-guard.service); done
  echo "loop:     guard killed 8 times, each as soon as it served: $(systemctl is-active sandpiper-guard.service), the last after $last ms"
  systemctl stop sandpiper.target
  # The target's own stop does not wait for those that follow it.
  left() { systemctl list-units --no-legend --state=active,activating,deactivating 'sandpiper-*' | wc -l; }
  for _ in $(seq 100); do [ "$(left)" = 0 ] && break; sleep 0.1; done
  echo "stop:     units left: $(left)"
}

report() {
  set +e
  echo "$(systemctl --version | head -1); process 1 is $(cat /proc/1/comm)"
  supervised
  one_per_process
  echo "done"
}

case ${1:-outer} in
  outer) outer ;;
  inner) inner "$2" "$3" ;;
  report) report ;;
esac
