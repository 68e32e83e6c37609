import { gross } from "./pricing.js";

document.title = `Shop ${gross(100)}`;
