import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import type { Duplex } from "node:stream";

/** What a virtual machine is started with. */
export interface MachinePlan {
  /** The command; `qemu-system-x86_64` of the PATH where left out. */
  readonly command?: string;
  readonly kernel: string;
  readonly initramfs: string;
  readonly memoryMebibytes: number;
  readonly cpus: number;
  /** Words that are added to the kernel's command line. */
  readonly kernelWords: readonly string[];
  /** Further arguments of QEMU: devices. */
  readonly devices: readonly string[];
}

/** A virtual machine that runs. */
export interface VirtualMachine {
  /** The kernel's console: its first serial port. */
  readonly console: Duplex;
  /** The line to the agent: its second serial port. */
  readonly line: Duplex;
  /** What QEMU itself said. */
  readonly said: () => string;
  /** Ends with its exit code, or with the signal that ended it. */
  readonly ended: Promise<string>;
  /** Ends it at once. */
  kill(): void;
}

const running = new Set<ChildProcess>();

// Nothing may outlive the command, whatever it ends with; a killed one is seen to by `setpriv` below.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** The arguments that QEMU is called with. */
export function qemuArguments(plan: MachinePlan): readonly string[] {
  const words = [
    "console=ttyS0",
    "rdinit=/init",
    "panic=-1",
    "nokaslr",
    "mitigations=off",
    ...plan.kernelWords,
  ];
  return [
    ...["-accel", "tcg,thread=multi", "-machine", "q35", "-cpu", "max"],
    ...["-m", String(plan.memoryMebibytes), "-smp", String(plan.cpus)],
    ...["-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"],
    ...["-chardev", "socket,id=console,fd=3", "-serial", "chardev:console"],
    ...["-chardev", "socket,id=line,fd=4", "-serial", "chardev:line"],
    ...["-kernel", plan.kernel, "-initrd", plan.initramfs, "-append", words.join(" ")],
    ...plan.devices,
  ];
}

/**
 * Starts a virtual machine under software emulation. It ends with this process, even when that is killed.
 *
 * @throws Error what the system answers where QEMU cannot be started
 */
export function startMachine(plan: MachinePlan): VirtualMachine {
  const command = plan.command ?? "qemu-system-x86_64";
  const tether = "/usr/bin/setpriv";
  const tethered = existsSync(tether) ? [tether, "--pdeathsig", "KILL", command] : [command];
  const [program = command, ...before] = tethered;
  const child = spawn(program, [...before, ...qemuArguments(plan)], {
    stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
  });
  running.add(child);
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = `${said}${text}`.slice(-4000);
  });
  const ended = new Promise<string>((resolve) => {
    child.once("error", (failure) => resolve(failure.message));
    child.once("exit", (code, signal) => resolve(signal ?? `exit code ${code}`));
  }).finally(() => running.delete(child));
  const [, , , console, line] = child.stdio as unknown as readonly Duplex[];
  if (console === undefined || line === undefined) throw new Error(`${command} has no serial ports`);
  for (const port of [console, line]) port.on("error", () => {});
  return { console, line, said: () => said, ended, kill: () => void child.kill("SIGKILL") };
}
