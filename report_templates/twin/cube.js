/**
 * Unpacks the cube that the page carries: the steps of sms_etl/reports/twin/pack.py, backwards.
 */

const BYTE = 256;

/** Bytes of a deflated base64 text. */
async function inflated(base64) {
  const packed = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Columns by name, each a Float64Array put together from its lowest bytes, the next ones, … */
function columnsOf(described, bytes) {
  const columns = {};
  let offset = 0;
  for (const [name, rows, planes] of described) {
    const column = new Float64Array(rows);
    for (let plane = 0, weight = 1; plane < planes; plane++, weight *= BYTE) {
      for (let row = 0; row < rows; row++) column[row] += weight * bytes[offset + row];
      offset += rows;
    }
    columns[name] = column;
  }
  return columns;
}

/** Keys that are kept as gaps become keys again; a gap starts from 0 where a key before changed. */
function closeGaps(keys) {
  const rows = keys[0].length;
  const last = new Array(keys.length).fill(0);
  for (let row = 0; row < rows; row++) {
    let same = true;
    for (let n = 0; n < keys.length; n++) {
      const value = keys[n][row] + (same ? last[n] : 0);
      same = same && row > 0 && value === last[n];
      keys[n][row] = last[n] = value;
    }
  }
}

function unzigzag(value) {
  return value % 2 ? -(value + 1) / 2 : value / 2;
}

/**
 * The cube: `values` (dimension -> names), `states`, `groups` (dimension -> column, a row a
 * combination), `counts` and `times` (columns by name).
 */
export async function readCube(head, base64) {
  const columns = columnsOf(head.columns, await inflated(base64));
  const starting = (prefix) =>
    Object.fromEntries(
      Object.entries(columns)
        .filter(([name]) => name.startsWith(prefix))
        .map(([name, column]) => [name.slice(prefix.length), column]),
    );
  const counts = starting("count_");
  const times = starting("time_");
  closeGaps([counts.group, counts.day]);
  closeGaps([times.group, times.day, times.kind, times.bucket]);
  for (let row = 0; row < counts.group.length; row++) {
    const group = counts.group[row];
    const messages = counts.messages[row];
    counts.parts[row] = unzigzag(counts.parts[row]) + messages * columns.parts_each[group];
    const usual = counts.parts[row] * columns.cost_each[group];
    counts.cost_micro[row] = unzigzag(counts.cost_micro[row]) + usual;
    counts.messages_with_parts[row] = messages - counts.messages_with_parts[row];
    counts.messages_with_cost[row] = messages - counts.messages_with_cost[row];
  }
  const groups = {};
  for (const dimension of Object.keys(head.values)) groups[dimension] = columns[dimension];
  return { ...head, groups, counts, times };
}
