// Shows how many characters are left, and times in the reader's own zone. The page works without it.
"use strict";

const message = document.querySelector("textarea[maxlength]");
if (message) {
  const left = document.createElement("small");
  const show = () => { left.textContent = `${message.maxLength - message.value.length} characters left`; };
  message.after(left);
  message.addEventListener("input", show);
  show();
}

const form = new Intl.DateTimeFormat(undefined, { dateStyle: "long", timeStyle: "short" });
for (const time of document.querySelectorAll("time[datetime]")) {
  time.textContent = form.format(new Date(time.dateTime));
}
