import { intervalMirror, notifierMirror } from "@nopage/notifier-mirror";
import { describeCompleteSearch, describeSequentialSearch } from "../support/complete-search.ts";

describeCompleteSearch(notifierMirror);
describeSequentialSearch(notifierMirror);
describeCompleteSearch(intervalMirror);
describeSequentialSearch(intervalMirror);
