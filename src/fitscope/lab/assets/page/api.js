// What the page asks of the server: one function a question.

/** What the server answered in place of what was asked: its sentence is for the person. */
class Refusal extends Error {
  /** @param {string} sentence @param {number} status */
  constructor(sentence, status) {
    super(sentence);
    this.status = status;
  }
}

/** A name for a training, so that it can be watched and stopped. */
export function newJob() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) =>
    byte.toString(16).padStart(2, "0"),
  ).join("");
}

/** @param {string} path @param {RequestInit} [options] @returns {Promise<Response>} */
export async function ask(path, options) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (/** @type {Error} */ (error).name === "AbortError") throw error;
    throw new Refusal("The server does not answer; is `fitscope lab` still running?", 0);
  }
  if (answer.ok) return answer;
  const body = await answer.json().catch(() => ({}));
  throw new Refusal(body.error ?? `The server answers ${answer.status}.`, answer.status);
}

/** @param {string} path @param {any} experiment @param {AbortSignal} [signal] */
export function post(path, experiment, signal) {
  return ask(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(experiment),
    signal,
  });
}

/** A run file, trained by the server.
 * @param {any} experiment
 * @param {{job: string, data: boolean, signal: AbortSignal}} options
 * @returns {Promise<ArrayBuffer>} */
export async function trained(experiment, { job, data, signal }) {
  const answer = await post(`/api/run?job=${job}&data=${data}`, experiment, signal);
  return answer.arrayBuffer();
}

/** Anything the server answers in JSON, asked with an experiment.
 * @param {string} path @param {any} experiment @param {AbortSignal} [signal] @returns {Promise<any>} */
export async function answered(path, experiment, signal) {
  return (await post(path, experiment, signal)).json();
}

/** @param {string} path @returns {Promise<any>} */
export async function found(path) {
  return (await ask(path)).json();
}

/** Calls `tell` with the progress of a training until it ends; the answer stops listening.
 * @param {string} job
 * @param {(progress: {done: number, planned: number}) => void} tell */
export function watch(job, tell) {
  const events = new EventSource(`/api/jobs/${job}/events`);
  events.onmessage = (event) => tell(JSON.parse(event.data));
  events.addEventListener("end", () => events.close());
  events.onerror = () => events.close();
  return () => events.close();
}

/** Ends a training; the run so far is what its request answers.
 * @param {string} job */
export function stop(job) {
  return ask(`/api/jobs/${job}`, { method: "DELETE" }).catch(() => undefined);
}
