/**
 * Commands of the Highway driver for Linux, as `_IO('H', n)` encodes them; what each does says
 * packages/device-highway/linux/highway-abi.h.
 */
export const highway = {
  gateClose: command(0x20),
  gateOpen: command(0x21),
  resize: command(0x22),
  peek: command(0x23),
  poke: command(0x24),
  count: command(0x25),
  fail: command(0x26),
  free: command(0x27),
  reset: command(0x28),
  show: command(0x29),
  showOdd: command(0x2a),

  chooseAddress: command(0x40),
  chooseValue: command(0x41),
  mirrorFollow: command(0x42),
  mirrorUnfollow: command(0x43),
  mirrorRead: command(0x44),
  mirrorWrite: command(0x45),
  mirrorReachesRead: command(0x46),
  mirrorReachesWrite: command(0x47),
  mirrorPopulateRead: command(0x48),
  mirrorPopulateWrite: command(0x49),
  mirrorNowRead: command(0x4a),
  mirrorNowWrite: command(0x4b),
  mirrorLetGo: command(0x4c),

  pinForRead: command(0x60),
  pinForWrite: command(0x61),
  pinUnpin: command(0x62),
  pinDeviceRead: command(0x63),
  pinDeviceWrite: command(0x64),
  pinHeld: command(0x65),
  pinStops: command(0x66),
  pinQuarantined: command(0x67),
  pinEndService: command(0x68),
} as const;

function command(number: number): number {
  return 0x4800 + number;
}

/** What an answer of 32 bits is as a word: one above the largest int came as a negative number. */
export function asWord(answer: number): number {
  return answer >>> 0;
}

/** Whether an answer is a negated errno, rather than a word that looks negative. */
export function isErrno(answer: number): boolean {
  return answer < 0 && answer >= -4095;
}
