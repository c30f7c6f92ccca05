import { intervalMirror, notifierMirror } from "@nopage/notifier-mirror";
import { describeCompleteSearch } from "../support/complete-search.ts";

describeCompleteSearch(notifierMirror);
describeCompleteSearch(intervalMirror);
