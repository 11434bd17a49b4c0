// The figures of the landing page: read from the public API, again every few seconds while the page is looked at.

const PERIOD_MS = 10_000;

/** Reads a public resource; a failure becomes an Error whose text is for people. */
async function read(path) {
  const answer = await fetch(path, { headers: { accept: "application/json" } });
  const body = await answer.json().catch(() => ({}));
  if (!answer.ok) throw new Error(body.detail ?? `status ${answer.status}`);
  return body;
}

function show(id, figure, note, mood) {
  const card = document.getElementById(id);
  const place = card.querySelector(".figure");
  place.replaceChildren();
  if (mood) {
    const dot = document.createElement("span");
    dot.className = `dot ${mood}`;
    place.append(dot);
  }
  place.append(figure);
  card.querySelector(".note").textContent = note;
}

const number = (value) => new Intl.NumberFormat("en").format(value);

async function chain() {
  const status = await read("/v1/chain/status");
  const behind = Math.max(0, status.daemon_height - status.height);
  const note = status.halted_reason ?? (behind > 0 ? `${status.network}, ${number(behind)} blocks behind` : `${status.network}, at the tip`);
  show("chain", number(status.height), note, status.halted_reason ? "bad" : behind > 2 ? "warn" : "good");
  return !status.halted_reason;
}

async function nodes() {
  const summary = await read("/v1/nodes/summary");
  const ready = summary.by_state.ready ?? 0;
  show("nodes", number(ready), `of ${number(summary.total)} that joined`, ready > 0 ? "good" : "warn");
  return true;
}

async function epoch() {
  const page = await read("/v1/epochs?page_size=1");
  const newest = page.items[0];
  if (newest) {
    show("epoch", number(newest.number), `${newest.state}, ${number(newest.leaf_count)} lines`, "");
  } else {
    show("epoch", "none", "nothing was settled yet", "");
  }
  return true;
}

async function refresh() {
  const parts = { chain, nodes, epoch };
  const results = await Promise.all(
    Object.entries(parts).map(async ([id, part]) => {
      try {
        return await part();
      } catch (error) {
        show(id, "–", error.message, "bad");
        return false;
      }
    }),
  );
  const well = results.filter(Boolean).length;
  const whole = well === results.length;
  const note = whole ? `all parts answer, ${new Date().toLocaleTimeString()}` : `${well} of ${results.length} parts answer`;
  show("plane", whole ? "Healthy" : well > 0 ? "Degraded" : "Away", note, whole ? "good" : well > 0 ? "warn" : "bad");
}

refresh();
setInterval(() => document.hidden || refresh(), PERIOD_MS);
