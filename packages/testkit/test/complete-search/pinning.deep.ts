import { longterm } from "@nopage/pinning";
import { describeCompleteSearch } from "../support/complete-search.ts";

describeCompleteSearch(longterm);
