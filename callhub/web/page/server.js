// Everything that goes over the wire: requests, the stream, the server's time, and whether all of it is alive.

const POLL_MS = 4000;
const STALE_MS = 10000;

export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || String(status));
    this.status = status;
    this.code = body.code || "internal";
    this.body = body;
  }
}

const newKey = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, "0")).join("");

export async function request(method, path, body, version) {
  const headers = {};
  if (method !== "GET") headers["Idempotency-Key"] = newKey();
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (version !== undefined) headers["If-Match"] = `"${version}"`;
  const answer = await fetch(`/api/v1/${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
    signal: AbortSignal.timeout(15000),
  });
  const type = answer.headers.get("content-type") || "";
  const said = type.includes("json") ? await answer.json() : {};
  if (!answer.ok) throw new Problem(answer.status, said);
  return said;
}

// Engine time as the page knows it. A demonstration runs faster than the wall, so the pace is measured, too.
export class ServerTime {
  constructor() {
    this.first = this.last = null;
    this.pace = 1;
  }

  learn(iso, askedMs) {
    const sample = { server: Date.parse(iso), local: (askedMs + performance.now()) / 2 };
    this.first ??= sample;
    this.last = sample;
    const passedMs = sample.local - this.first.local;
    if (passedMs > 500) {
      const pace = (sample.server - this.first.server) / passedMs;
      this.pace = Math.abs(pace - 1) < 0.1 ? 1 : pace;
    }
  }

  now() {
    return this.last ? this.last.server + (performance.now() - this.last.local) * this.pace : Date.now();
  }
}

// Follows the stream and tells: onItem(item), onGone(id), onReset(), onLink(state, since), onSignedOut().
export class Live {
  constructor(time, told) {
    this.time = time;
    this.told = told;
    this.heardMs = Date.now();
    this.state = "reconnecting";
    this.lastId = null;
    this.source = null;
    this.timers = [];
  }

  start(asOf) {
    this.lastId = asOf;
    this.open();
    this.poll();
    this.timers = [setInterval(() => this.poll(), POLL_MS), setInterval(() => this.judge(), 500)];
  }

  stop() {
    this.timers.forEach(clearInterval);
    this.source?.close();
    this.source = null;
  }

  open() {
    this.source?.close();
    const source = new EventSource(`/api/v1/stream?after=${encodeURIComponent(this.lastId)}`);
    this.source = source;
    source.addEventListener("open", () => this.judge());
    source.addEventListener("error", () => this.judge());
    const on = (name, what) =>
      source.addEventListener(name, (event) => {
        if (source !== this.source) return;
        this.lastId = event.lastEventId || this.lastId;
        what(JSON.parse(event.data));
      });
    on("incident", (item) => this.told.onItem(item));
    on("gone", ({ id }) => this.told.onGone(id));
    on("reset", () => this.told.onReset());
  }

  // The stream's comments are invisible to a page, so life is asked for, too.
  async poll() {
    const askedMs = performance.now();
    try {
      const { now } = await request("GET", "session");
      this.time.learn(now, askedMs);
      this.heardMs = Date.now();
      if (this.source?.readyState === EventSource.CLOSED) this.open();
    } catch (error) {
      if (error.status === 401) this.told.onSignedOut();
    }
    this.judge();
  }

  judge() {
    const silentMs = Date.now() - this.heardMs;
    const flowing = this.source?.readyState === EventSource.OPEN;
    if (flowing && silentMs < STALE_MS) {
      this.state = "live";
      this.sinceMs = Date.now();
    } else {
      const lostMs = Date.now() - (this.sinceMs ?? Date.now());
      this.state = silentMs >= STALE_MS || lostMs >= STALE_MS ? "stale" : "reconnecting";
    }
    this.told.onLink(this.state, this.sinceMs ?? this.heardMs);
  }
}
