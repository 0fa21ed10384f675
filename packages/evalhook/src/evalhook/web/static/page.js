// Keeps the status page up to date. Without it the page is whole, and renews itself every 20 seconds.
"use strict";

const IDLE_MS = 10000;
const SPEAK_MS = 60000;
const STAGES = { looking: "being looked for", reading: "waiting for documents" };
const numbers = new Intl.NumberFormat("en");
let spoken = 0;

const find = (selector) => document.querySelector(selector);
const say = (selector, text) => {
  const element = find(selector);
  if (element && element.textContent !== text) element.textContent = text;
};

// The same words as evalhook.web.pages has.
const rate = (perSecond) => {
  if (perSecond === null) return "–";
  return perSecond >= 1 ? `${perSecond.toFixed(1)} / s` : `${(60 * perSecond).toFixed(1)} / min`;
};

const duration = (seconds) => {
  if (seconds === null) return "–";
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
};

const left = (progress) =>
  ["scoring", "publishing"].includes(progress.stage) ? progress.stage : duration(progress.seconds_left);

const doing = ({ reading }) => (reading ? `reading documents ${reading.number} of ${reading.total}` : "running");

const showProgress = (progress) => {
  const bar = find("[data-bar]");
  if (!bar || progress.rate === undefined) return;
  const percent = `${Math.floor((100 * progress.done) / Math.max(progress.total, 1))} %`;
  bar.max = Math.max(progress.total, 1);
  bar.value = progress.done;
  say("[data-figure=done]", `${numbers.format(progress.done)} of ${numbers.format(progress.total)}`);
  say("[data-figure=percent]", percent);
  say("[data-figure=rate]", rate(progress.rate));
  say("[data-figure=left]", left(progress));
  say("[data-stage]", doing(progress));
  say("[data-figure=errors]", numbers.format(progress.errors));
  say("[data-figure=flight]", numbers.format(progress.in_flight));
  const waits = progress.waits.map((w) => `${w.model}, replicate ${w.replicate}, for ${duration(w.seconds)}`);
  const box = find("[data-notice]");
  box.textContent = progress.attention ?? (waits.length ? `Waiting for ${waits.join("; ")}` : "");
  box.hidden = box.textContent === "";
  document.title = `${percent} · Evaluator`;
  if (Date.now() - spoken > SPEAK_MS) {
    spoken = Date.now();
    const how = progress.reading ? doing(progress) : `${duration(progress.seconds_left)} left`;
    say("[data-spoken]", `${percent} of the calls are done, ${how}.`);
  }
};

const showModel = (model) => {
  const row = [...document.querySelectorAll("[data-model]")].find((r) => r.dataset.model === model.model);
  if (!row) return;
  const cell = (name) => row.querySelector(`[data-cell=${name}]`);
  cell("stage").textContent = STAGES[model.stage] ?? model.stage;
  cell("bar").max = Math.max(model.total, 1);
  cell("bar").value = model.done;
  cell("done").textContent = `${numbers.format(model.done)} of ${numbers.format(model.total)}`;
  cell("errors").textContent = numbers.format(model.errors);
  cell("reason").textContent = model.reason ?? "";
};

// Takes the server's own page: there is one place that makes HTML, and it escapes.
const renew = async () => {
  const answer = await fetch("/", { credentials: "same-origin" });
  if (answer.status === 401) return location.reload();
  if (!answer.ok) return undefined;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  find("#main").replaceWith(fresh.querySelector("#main"));
  find("footer").replaceWith(fresh.querySelector("footer"));
  document.title = fresh.title;
  return follow();
};

const later = () => setTimeout(() => {
  if (document.hidden) return later();
  return renew().catch(later);
}, IDLE_MS);

const follow = () => {
  const running = find("[data-job]");
  if (!running) return later();
  const events = new EventSource(`/jobs/${running.dataset.job}/events`);
  events.addEventListener("progress", (event) => showProgress(JSON.parse(event.data)));
  events.addEventListener("model", (event) => showModel(JSON.parse(event.data)));
  events.addEventListener("done", () => {
    events.close();
    renew().catch(later);
  });
  events.addEventListener("error", () => {
    // Connections that break are made again by the browser; a refusal (signed out, too many) is final.
    if (events.readyState === EventSource.CLOSED) later();
  });
  return undefined;
};

follow();
