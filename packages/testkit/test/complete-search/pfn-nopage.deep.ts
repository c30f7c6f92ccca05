import { pfnNopage } from "@nopage/pfn-nopage";
import { describeCompleteSearch } from "../support/complete-search.ts";

describeCompleteSearch(pfnNopage);
