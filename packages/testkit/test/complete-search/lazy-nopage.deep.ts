import { lazyNopage } from "@nopage/lazy-nopage";
import { describeCompleteSearch } from "../support/complete-search.ts";

describeCompleteSearch(lazyNopage);
