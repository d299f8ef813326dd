// The run file that is inside a page, made again from its text; Python's lab/packing.py wrote it.

/** A run file, bit for bit.
 * @param {string} text base64 of gzip
 * @param {[number, number, number][]} arrays first byte, rows and columns of each wound array
 * @returns {Promise<ArrayBuffer>} */
export async function unpacked(text, arrays) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const content = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const file = await new Response(content).arrayBuffer();
  for (const [first, rows, columns] of arrays) unwind(file, first, rows, columns);
  return file;
}

/** Puts the numbers of an array back from second differences, whose bytes lie apart by weight.
 * @param {ArrayBuffer} file @param {number} first @param {number} rows @param {number} columns */
function unwind(file, first, rows, columns) {
  const n = rows * columns;
  const wound = new Uint8Array(file.slice(first, first + 4 * n));
  const view = new DataView(file, first, 4 * n);
  for (let column = 0; column < columns; column++) {
    let [bits, change] = [0, 0];
    for (let row = 0; row < rows; row++) {
      const i = column * rows + row;
      const signless = wound[i] | (wound[n + i] << 8) | (wound[2 * n + i] << 16) | (wound[3 * n + i] << 24);
      change = (change + ((signless >>> 1) ^ -(signless & 1))) | 0;
      bits = (bits + change) | 0;
      view.setInt32(4 * (row * columns + column), bits, true);
    }
  }
}
