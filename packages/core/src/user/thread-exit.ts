/** Unwinds the program of a thread that has to end: a fatal signal reached it, or its process exited. */
export class ThreadExit extends Error {
  override readonly name = "ThreadExit";
}
