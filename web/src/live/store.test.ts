import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { RowStore } from "./store";

interface Row {
  name: string;
  value: number;
}

/** A store whose animation frames come when the test says so. */
function storeWithFrames() {
  const frames: (() => void)[] = [];
  const store = new RowStore<Row>(
    (row) => row.name,
    (publish) => frames.push(publish),
  );
  const nextFrame = () => {
    for (const publish of frames.splice(0)) publish();
  };
  return { store, nextFrame, waiting: () => frames.length };
}

const row = (name: string, value = 0): Row => ({ name, value });

describe("a row store", () => {
  it("applies upserts and deletes, and tells its readers once per frame", () => {
    const { store, nextFrame, waiting } = storeWithFrames();
    let told = 0;
    store.subscribe(() => told++);
    store.apply({ upserts: [row("a"), row("b")] });
    store.apply({ upserts: [row("a", 1)] });
    store.apply({ deletes: ["b"] });
    expect(store.snapshot()).toEqual([]);
    expect(waiting()).toBe(1);
    nextFrame();
    expect(store.snapshot()).toEqual([row("a", 1)]);
    expect(told).toBe(1);
  });

  it("gives the same array until something changed", () => {
    const { store, nextFrame } = storeWithFrames();
    store.seed([row("a")]);
    const before = store.snapshot();
    nextFrame();
    expect(store.snapshot()).toBe(before);
  });

  it("a row deleted and added again in one frame is there", () => {
    const { store, nextFrame } = storeWithFrames();
    store.seed([row("a")]);
    store.apply({ deletes: ["a"], upserts: [row("a", 2)] });
    nextFrame();
    expect(store.snapshot()).toEqual([row("a", 2)]);
  });

  it("a whole list replaces everything, and a late first answer does not bring old rows back", () => {
    const { store, nextFrame } = storeWithFrames();
    store.seed([row("gone")]);
    store.apply({ initial: true, upserts: [row("a", 1)] });
    store.seed([row("gone"), row("a")]);
    nextFrame();
    expect(store.snapshot()).toEqual([row("a", 1)]);
  });

  it("after a resync rows stay visible until the next whole list", () => {
    const { store, nextFrame } = storeWithFrames();
    store.apply({ initial: true, upserts: [row("a"), row("b")] });
    nextFrame();
    store.resync();
    expect(store.snapshot()).toHaveLength(2);
    store.apply({ initial: true, upserts: [row("b", 9)] });
    nextFrame();
    expect(store.snapshot()).toEqual([row("b", 9)]);
  });

  it("the last write of each key wins, whatever the events were", () => {
    const event = fc.oneof(
      fc.record({ upserts: fc.array(fc.record({ name: fc.constantFrom("a", "b", "c"), value: fc.nat() })) }),
      fc.record({ deletes: fc.array(fc.constantFrom("a", "b", "c")) }),
      fc.record({
        initial: fc.constant(true),
        upserts: fc.array(fc.record({ name: fc.constantFrom("a", "b", "c"), value: fc.nat() })),
      }),
    );
    fc.assert(
      fc.property(fc.array(event, { maxLength: 40 }), (events) => {
        const { store, nextFrame } = storeWithFrames();
        const model: Record<string, number> = {};
        for (const each of events) {
          store.apply(each);
          if ("initial" in each) for (const key of Object.keys(model)) delete model[key];
          if ("deletes" in each) for (const key of each.deletes) delete model[key];
          if ("upserts" in each) for (const { name, value } of each.upserts) model[name] = value;
        }
        nextFrame();
        expect(Object.fromEntries(store.snapshot().map(({ name, value }) => [name, value]))).toEqual(model);
      }),
      { numRuns: 1000 },
    );
  });
});
