/**
 * Linux error numbers (include/uapi/asm-generic/errno-base.h and errno.h, 6.1). Kernel code returns them negated,
 * as Linux does: `return -EINVAL`.
 */

export const EPERM = 1;
export const ENOENT = 2;
export const ESRCH = 3;
export const EINTR = 4;
export const EIO = 5;
export const ENXIO = 6;
export const EBADF = 9;
export const EAGAIN = 11;
/** What a call that does not wait answers where it would have to; the same number as `EAGAIN`. */
export const EWOULDBLOCK = EAGAIN;
export const ENOMEM = 12;
export const EACCES = 13;
export const EFAULT = 14;
export const EBUSY = 16;
export const EEXIST = 17;
export const ENODEV = 19;
export const EINVAL = 22;
export const ENOTTY = 25;
export const ENOSPC = 28;
export const EOVERFLOW = 75;
export const EOPNOTSUPP = 95;
export const EHWPOISON = 133;
/** Kernel-internal: a signal interrupted the call, which starts again after a handler that asked for it. */
export const ERESTARTSYS = 512;

const names: ReadonlyMap<number, string> = new Map([
  [EPERM, "EPERM"],
  [ENOENT, "ENOENT"],
  [ESRCH, "ESRCH"],
  [EINTR, "EINTR"],
  [EIO, "EIO"],
  [ENXIO, "ENXIO"],
  [EBADF, "EBADF"],
  [EAGAIN, "EAGAIN"],
  [ENOMEM, "ENOMEM"],
  [EACCES, "EACCES"],
  [EFAULT, "EFAULT"],
  [EBUSY, "EBUSY"],
  [EEXIST, "EEXIST"],
  [ENODEV, "ENODEV"],
  [EINVAL, "EINVAL"],
  [ENOTTY, "ENOTTY"],
  [ENOSPC, "ENOSPC"],
  [EOVERFLOW, "EOVERFLOW"],
  [EOPNOTSUPP, "EOPNOTSUPP"],
  [EHWPOISON, "EHWPOISON"],
  [ERESTARTSYS, "ERESTARTSYS"],
]);

/**
 * The highest error number (`MAX_ERRNO`): a result in `[-MAX_ERRNO, -1]` is an error, everything else a value.
 */
export const MAX_ERRNO = 4095;

/** Whether a kernel result is a negated errno (`IS_ERR_VALUE`). */
export function isError(result: number): boolean {
  return result < 0 && result >= -MAX_ERRNO;
}

/** The name of an error number of either sign, such as `EINVAL` for -22; the number itself when it has none. */
export function errnoName(errno: number): string {
  const positive = Math.abs(errno);
  return names.get(positive) ?? `errno ${positive}`;
}
