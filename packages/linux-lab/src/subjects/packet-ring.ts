import { mustSucceed } from "@nopage/testkit/executor";
import { lab } from "../execute/lab-calls.ts";
import { defineSubject, PAGE_BYTES } from "../subject/lab-subject.ts";
import { KeptDescriptor } from "./kept-descriptor.ts";
import { mapAllOrNothing } from "./map-all-or-nothing.ts";
import { markPages, peekThrough, pokeThrough } from "./marking.ts";

const PAGES = 4;

const AF_PACKET = 17;
/** `SOCK_RAW | SOCK_NONBLOCK`: a read is not to wait for packets. */
const SOCKET_KIND = 3 | 0o4000;
const SOL_PACKET = 263;
const PACKET_RX_RING = 5;

/**
 * The receive ring of a packet socket: net/packet/af_packet.c `packet_mmap` maps every page of it at once by `vm_insert_page`,
 * has no fault handler, and counts its areas. No protocol is bound, so that no packet comes.
 */
export const packetRing = defineSubject({
  name: "packet",
  pages: PAGES,
  supports: {
    populate: "eager",
    whileRevoked: "nothing",
    mremapGrow: true,
    countsPages: true,
    privateWritable: true,
  },
  *setUp() {
    const socket = mustSucceed("socket", (yield* lab.call("socket", AF_PACKET, SOCKET_KIND, 0)).result);
    // struct tpacket_req: bytes and number of blocks, bytes and number of frames.
    const ring = new Uint8Array(new Uint32Array([PAGE_BYTES, PAGES, PAGE_BYTES, PAGES]).buffer);
    const { result } = yield* lab.call("setsockopt", socket, SOL_PACKET, PACKET_RX_RING, ring, ring.length);
    mustSucceed("PACKET_RX_RING", result);
    const kept = yield* KeptDescriptor.of(socket);
    const open = () => kept.open();
    const view = { open, pages: PAGES };
    yield* markPages(view);
    return {
      open: (mode) => kept.open(mode),
      map: (mapping) => mapAllOrNothing(open, PAGES, mapping),
      peek: (page) => peekThrough(view, page),
      poke: (page, value) => pokeThrough(view, page, value),
    };
  },
});
