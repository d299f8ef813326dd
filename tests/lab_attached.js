// What tests/test_lab_attached.py asks of the lab's modules.

export { refusals, taken, whole } from "/tests/lab_model.js";
