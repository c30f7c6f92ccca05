import type { Kernel } from "@nopage/core";
import type { Contender } from "../model/contender.ts";

/** The same contender, of which is noted what it calls the cells that it shares between threads, by what a report would call them, such as `cell 3`. */
export function namingContender(contender: Contender, names: Map<string, string>): Contender {
  return {
    ...contender,
    place: (machine, kernel) => contender.place(machine, naming(kernel, names)),
  };
}

function naming(kernel: Kernel, names: Map<string, string>): Kernel {
  return {
    ...kernel,
    // A strategy is given the kernel that made the binding, which is not this one.
    bind: (strategy, shape) =>
      kernel.bind({ ...strategy, create: (own) => strategy.create(naming(own, names)) }, shape),
    sync: {
      ...kernel.sync,
      shared(name, initial) {
        const cell = kernel.sync.shared(name, initial);
        names.set(`cell ${cell.index}`, name);
        return cell;
      },
    },
  };
}
