import type { LoggedEvent } from "../events/event-log.ts";
import type { Operation } from "./operation.ts";
import type { Violation } from "./violation.ts";

/**
 * A violation in words, for terminals: what was violated and by whom, the object, the operation and the one that it met, each
 * with its task, CPU, virtual time and chain of callers, and the events next to them. No line ends in a newline.
 */
export function formatViolation({ kind, message, object, operation, earlier, events }: Violation): string {
  const what = operation.what === message ? "" : `${operation.what}, `;
  const lines = [`${kind} by ${operation.task}: ${message}`];
  if (object !== undefined) lines.push(`  object:  ${object}`);
  lines.push(`  now:     ${operation.task} ${what}${place(operation)}`);
  if (earlier !== undefined) lines.push(`  earlier: ${earlier.task} ${earlier.what}, ${place(earlier)}`);
  if (events.length > 0) lines.push("  events:", ...events.map((event) => `    ${formatEvent(event)}`));
  return lines.join("\n");
}

/** Where and on whose behalf something was done: `on CPU 0 at 1200 ns, in page fault → lazy-nopage.nopage → insertPfn`. */
function place({ task, cpu, time, callers }: Operation): string {
  const where =
    task === "boot" && cpu < 0 ? "outside of any task" : cpu < 0 ? "on hardware" : `on CPU ${cpu}`;
  const chain = callers.length === 0 ? "" : `, in ${callers.join(" → ")}`;
  return `${where} at ${time} ns${chain}`;
}

/** One event: `#12 at 1200 ns, task 3: pte-set mm=1 vpn=4096 entry=5`. */
function formatEvent({ index, time, task, name, fields }: LoggedEvent): string {
  const values = Object.entries(fields).map(([field, value]) => ` ${field}=${value}`);
  return `#${index} at ${time} ns, ${task < 0 ? "boot" : `task ${task}`}: ${name}${values.join("")}`;
}
