// Lists the classes that the templates of the backend name, as builders of styles do.
import { readFileSync, writeFileSync } from "node:fs";

const page = readFileSync("../backend/shop/templates/cart.html", "utf8");
writeFileSync("../backend/built/words.json", JSON.stringify([...page.matchAll(/class="(\w+)"/g)].map((each) => each[1])));
