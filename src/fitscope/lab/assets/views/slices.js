// Long computations, a slice of time after the other, so that the page never waits.

/** Runs a generator to its end between the frames; a later one takes its place. */
export class Slices {
  constructor() {
    this.number = 0;
  }

  /** @template T
   * @param {Generator<number, T, void>} work whose `next` ends after some milliseconds
   * @returns {Promise<T|null>} null where another one took its place */
  async run(work) {
    this.number += 1;
    const own = this.number;
    for (;;) {
      const { done, value } = work.next();
      if (done) return value;
      await new Promise((resolve) => setTimeout(resolve));
      if (own !== this.number) return null;
    }
  }

  /** Ends what is under way. */
  stop() {
    this.number += 1;
  }
}
