import { describe, expect, it } from "vitest";
import type { IoDevice, PciFunction } from "../../src/index.ts";
import { createKernel, Machine, randomChooser } from "../../src/index.ts";

/** A device whose word at offset 4n is n, and which keeps what was written. */
function countingDevice() {
  const writes: (readonly [number, number, number])[] = [];
  const device: IoDevice = {
    read: (offset, width) => (width === 4 ? offset / 4 : offset),
    write: (offset, width, value) => {
      writes.push([offset, width, value]);
    },
  };
  return { device, writes };
}

function plugged(machine: Machine, ...devices: IoDevice[]): PciFunction {
  const answer = machine.pci.plug({
    name: "counter",
    vendorId: 1,
    deviceId: 2,
    bars: devices.map((device) => ({ bytes: 8192, device })),
    interrupts: "level",
    dmaBits: 32,
  });
  if (typeof answer === "number") throw new Error(`plug answered ${answer}`);
  return answer;
}

describe("device registers, as the kernel reaches them", () => {
  it.each([undefined, randomChooser(1)])("MUST reach the device with offset, width and value", (chooser) => {
    const machine = new Machine({ eventLog: "on", ...(chooser && { chooser }) });
    const { device, writes } = countingDevice();
    const [window] = plugged(machine, device).windows;
    const { mmio, time } = createKernel(machine);
    const seen: number[] = [];
    const block = new Uint8Array(6);
    time.spawnKernelThread(
      "reader",
      function* () {
        seen.push(yield* mmio.read(window!, 12, 4));
        yield* mmio.write(window!, 8, 2, 7);
        yield* mmio.write64(window!, 16, (3n << 32n) | 5n);
        yield* mmio.readBlock(window!, 4, block);
      },
      "required",
    );
    expect(machine.sched.run().status).toBe("finished");
    expect(seen).toEqual([3]);
    expect(writes).toEqual([
      [8, 2, 7],
      [16, 4, 5],
      [20, 4, 3],
    ]);
    expect([...block]).toEqual([1, 0, 0, 0, 8, 9]);
    const names = [...machine.log.events()].map(({ name }) => name);
    expect(names.filter((name) => name === "register-read")).toHaveLength(4);
    expect(names.filter((name) => name === "register-write")).toHaveLength(2);
  });

  it("MUST refuse an access outside the window", () => {
    const machine = new Machine();
    const [window] = plugged(machine, countingDevice().device).windows;
    const { mmio } = createKernel(machine);
    expect(() => mmio.read(window!, 8192, 4).next()).toThrow(/counter BAR0 has 8192 bytes: none at 0x2000/);
    expect(() => mmio.read(window!, 8190, 4).next()).toThrow(RangeError);
    expect(() => mmio.read(window!, -4, 4).next()).toThrow(RangeError);
  });

  it("MUST announce all windows of one device as one object, and other devices as others", () => {
    const machine = new Machine();
    const { device } = countingDevice();
    const first = plugged(machine, device, device);
    const second = plugged(machine, device);
    expect(first.windows[1]!.startPfn).not.toBe(first.windows[0]!.startPfn);
    expect(first.windows[1]!.registerFile).toBe(first.windows[0]!.registerFile);
    expect(second.windows[0]!.registerFile).not.toBe(first.windows[0]!.registerFile);
  });
});
