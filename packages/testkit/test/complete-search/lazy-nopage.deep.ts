import { lazyNopage } from "@nopage/lazy-nopage";
import { describeCompleteSearch, describeSequentialSearch } from "../support/complete-search.ts";

describeCompleteSearch(lazyNopage);
describeSequentialSearch(lazyNopage);
