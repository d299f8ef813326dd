// A wait for the server: how far it is, how it is stopped, and what to do where it refuses.

import { newJob, stop, watch } from "../page/api.js";
import { el, whole } from "../page/dom.js";
import { button, write } from "./shared.js";

const LATE_MS = 200; // from here on the wait is shown

/** One piece of work at a time, with its bar, its stop button and its refusal. */
export class Work {
  constructor() {
    this.bar = el("i");
    this.text = el("span", { "aria-live": "off" });
    this.meter = el("div", { class: "meter", role: "progressbar", "aria-label": "Progress" }, this.bar);
    this.stopper = button("Stop", "Ends it; what is done so far is kept where that is possible.", () => this.stop());
    this.row = el("div", { class: "work", hidden: true }, this.meter, this.text, this.stopper);
    this.refusal = el("p", { class: "refusal", role: "alert" });
    this.root = el("div", {}, this.row, this.refusal);
    this.job = "";
    this.wasStopped = false;
    /** Ends listening to the job. @type {() => void} */
    this.close = () => {};
    /** @type {AbortController|null} */
    this.abort = null;
  }

  /** Whether something is under way. */
  get isBusy() {
    return this.abort !== null;
  }

  /** Waits for a task, and shows how far its job is; null where it was stopped or refused.
   * @template T
   * @param {string} what such as "trainings"; "" for a task that begins its own jobs, or none
   * @param {(job: string, signal: AbortSignal) => Promise<T>} task
   * @returns {Promise<T|null>} */
  async wait(what, task) {
    this.end();
    const abort = new AbortController();
    this.abort = abort;
    this.wasStopped = false;
    this.job = newJob();
    write(this.refusal, "");
    if (what) this.#watch(this.job, what, abort);
    try {
      return await task(this.job, abort.signal);
    } catch (error) {
      if (this.abort === abort) write(this.refusal, this.wasStopped ? "Stopped before it was done." : /** @type {Error} */ (error).message);
      return null;
    } finally {
      if (this.abort === abort) {
        this.close();
        this.abort = null;
        this.row.hidden = true;
      }
    }
  }

  /** Asks for an early end: what is done so far is the answer. */
  stop() {
    this.wasStopped = true;
    write(this.text, "stopping …");
    if (this.job) stop(this.job);
  }

  /** Gives it up: another run is shown. */
  end() {
    this.close();
    this.abort?.abort();
    this.abort = null;
    this.row.hidden = true;
    write(this.refusal, "");
  }

  /** Goes on with another job under the same bar. @param {string} job @param {string} what */
  follow(job, what) {
    this.job = job;
    if (!this.abort) return;
    this.close();
    this.#watch(job, what, this.abort);
  }

  /** @param {string} job @param {string} what @param {AbortController} abort */
  #watch(job, what, abort) {
    this.#show(0, 0, what);
    let end = () => {};
    const late = setTimeout(() => {
      this.row.hidden = false;
      end = watch(job, ({ done, planned }) => this.abort === abort && this.#show(done, planned, what));
    }, LATE_MS);
    this.close = () => {
      clearTimeout(late);
      end();
    };
  }

  /** @param {number} done @param {number} planned @param {string} what */
  #show(done, planned, what) {
    const share = planned ? done / planned : 0;
    this.bar.style.width = `${100 * share}%`;
    this.meter.setAttribute("aria-valuenow", String(Math.round(100 * share)));
    if (!this.wasStopped) write(this.text, planned ? `${whole(done)} of ${whole(planned)} ${what}` : `${what} …`);
  }
}

/** What stands in a tab that trains, where nothing can be trained. @param {string} what such as "train many starts" */
export function onlyInTheLab(what) {
  return el("p", { class: "why" }, `Open it in the lab to ${what}: `, el("code", {}, "fitscope lab RUN"));
}
