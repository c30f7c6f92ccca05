import { eagerRemap } from "@nopage/eager-remap";
import { describeCompleteSearch, describeSequentialSearch } from "../support/complete-search.ts";

describeCompleteSearch(eagerRemap);
describeSequentialSearch(eagerRemap);
