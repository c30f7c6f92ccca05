import { eagerRemap } from "@nopage/eager-remap";
import { describeCompleteSearch } from "../support/complete-search.ts";

describeCompleteSearch(eagerRemap);
