// Lays a graph out with elkjs and says what it costs: node run.mjs <elkjs folder> <graph> <runs>
//
// Prints JSON: the median of the CPU time of some runs after a warm-up, in milliseconds, and both
// ends of every edge on the map.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

const [folder, file, runs] = process.argv.slice(2);
const ELK = createRequire(import.meta.url)(join(folder, "lib", "elk.bundled.js"));
const elk = new ELK();
const graph = readFileSync(file, "utf8");

/** The CPU time of this thread, or where Node can't say that, of the process. */
function cpu() {
  const { user, system } = process.threadCpuUsage?.() ?? process.cpuUsage();
  return (user + system) / 1000;
}

async function once() {
  // elkjs writes its results into what it is given.
  const given = JSON.parse(graph);
  const begun = cpu();
  const result = await elk.layout(given);
  return { spent: cpu() - begun, result };
}

await once();
await once();
const costs = [];
let last;
for (let run = 0; run < Number(runs); run += 1) {
  const { spent, result } = await once();
  costs.push(spent);
  last = result;
}
costs.sort((a, b) => a - b);

const ends = [];
for (const district of last.children) {
  const places = new Map();
  for (const node of district.children) {
    for (const port of node.ports ?? []) {
      places.set(port.id, [district.x + node.x + port.x, district.y + node.y + port.y]);
    }
  }
  for (const edge of district.edges) {
    ends.push([...places.get(edge.sources[0]), ...places.get(edge.targets[0])]);
  }
}
const sizes = last.children.flatMap((district) => district.children).length;
console.log(JSON.stringify({ ms: costs[costs.length >> 1], nodes: sizes, ends }));
