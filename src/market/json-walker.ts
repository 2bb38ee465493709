/** Foreign JSON, walked with the place in hand, so that a refusal says where something was and what it should have been. */

/** Called with what is wrong; never returns. */
export type Refuse = (place: string, want: string, was: string) => never;

/** A value and the way to it. */
export class Walker {
  constructor(
    readonly value: unknown,
    readonly place: string,
    readonly refuse: Refuse,
  ) {}

  fail(want: string, was = describe(this.value)): never {
    return this.refuse(this.place, want, was);
  }

  /** Whether there is something other than null under this name. */
  has(name: string): boolean {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value)) return this.fail("an object");
    return Object.hasOwn(value, name) && (value as Record<string, unknown>)[name] != null;
  }

  at(name: string): Walker {
    if (!this.has(name)) return this.fail(`an object with ${name}`, "one without it");
    // `has` made sure that it is an object.
    return new Walker((this.value as Record<string, unknown>)[name], `${this.place}.${name}`, this.refuse);
  }

  list(lengthMax = Number.MAX_SAFE_INTEGER): Walker[] {
    if (!Array.isArray(this.value) || this.value.length > lengthMax) return this.fail("a list");
    return this.value.map((item, i) => new Walker(item, `${this.place}[${i}]`, this.refuse));
  }

  whole(max = Number.MAX_SAFE_INTEGER): number {
    const { value } = this;
    if (typeof value !== "number" || !Number.isSafeInteger(value) || value < 0 || value > max)
      return this.fail("a whole number");
    return value;
  }

  number(): number {
    const { value } = this;
    return typeof value === "number" && Number.isFinite(value) ? value : this.fail("a number");
  }

  text(pattern?: RegExp, want = "text"): string {
    if (typeof this.value !== "string" || (pattern !== undefined && !pattern.test(this.value))) return this.fail(want);
    return this.value;
  }
}

function describe(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 80)}…` : text;
}
