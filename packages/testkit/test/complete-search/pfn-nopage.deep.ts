import { pfnNopage } from "@nopage/pfn-nopage";
import { describeCompleteSearch, describeSequentialSearch } from "../support/complete-search.ts";

describeCompleteSearch(pfnNopage);
describeSequentialSearch(pfnNopage);
