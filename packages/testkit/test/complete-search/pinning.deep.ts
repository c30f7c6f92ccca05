import { longterm } from "@nopage/pinning";
import { describeCompleteSearch, describeSequentialSearch } from "../support/complete-search.ts";

describeCompleteSearch(longterm);
describeSequentialSearch(longterm);
