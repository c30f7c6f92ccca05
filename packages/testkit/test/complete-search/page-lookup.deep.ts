import { pageLookup } from "@nopage/page-lookup";
import { describeCompleteSearch, describeSequentialSearch } from "../support/complete-search.ts";

describeCompleteSearch(pageLookup);
describeSequentialSearch(pageLookup);
