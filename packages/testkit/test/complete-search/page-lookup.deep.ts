import { pageLookup } from "@nopage/page-lookup";
import { describeCompleteSearch } from "../support/complete-search.ts";

describeCompleteSearch(pageLookup);
