/** The agent's actor that prepares the guest, and then keeps the subject. */
export const KEEPER = 0;
