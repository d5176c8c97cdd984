// A small client of Heartline's live calls for browsers: one WebSocket, the microphone as PCM at 16 kHz, camera frames
// as JPEG. No build step and no other library.
//
//   const call = await HeartlineCall.open("ws://127.0.0.1:8080", {tracks: [...]});
//   call.addEventListener("emotion", ({detail}) => console.log(detail.emotion));
//   call.sendAudio(0, call.now(), samples);     // Int16Array
//   const summary = await call.close();
//
// Every event of the server's is dispatched under its type, and as "event" as well.

const AUDIO = 1;
const FRAME = 2;
const HEADER_BYTES = 12;
const LONGEST_WAIT_MS = 5000;
const MOST_TRIES = 10;
// What may wait in the browser before pictures are left out; sound is never left out.
const BACKLOG_BYTES = 1 << 20;

export class HeartlineCall extends EventTarget {
  #base;
  #protocols;
  #socket = null;
  #created = null;
  #newest = 0;
  #tries = 0;
  #begun = performance.now();
  #isClosing = false;
  #isOver = false;
  #ended;

  /** Opens a session; the options are those of "session.update". The key is for servers that ask for one. */
  static async open(base, options, key) {
    const call = new HeartlineCall(base, key);
    await call.#begin(options);
    return call;
  }

  constructor(base, key) {
    super();
    // A page can set no headers on a WebSocket, so the key goes along as a subprotocol.
    this.#protocols = key ? ["heartline.v1", `heartline.key.${key}`] : [];
    this.#base = base.replace(/^http/, "ws").replace(/\/+$/, "");
    this.summary = new Promise((resolve, reject) => (this.#ended = {resolve, reject}));
    this.summary.catch(() => {});
  }

  get sessionId() {
    return this.#created?.session_id;
  }

  /** The media time now, in milliseconds since the call was opened. */
  now() {
    return Math.round(performance.now() - this.#begun);
  }

  /** Sends samples of a track; without a time they follow what came before. */
  sendAudio(track, atMs, samples) {
    this.#sendMedia(AUDIO, track, atMs, new Uint8Array(samples.buffer, samples.byteOffset, samples.byteLength));
  }

  /** Sends a picture as a Blob; false where the connection is too slow for it. */
  async sendFrame(track, atMs, blob) {
    if (!this.#isOpen() || this.#socket.bufferedAmount > BACKLOG_BYTES) return false;
    this.#sendMedia(FRAME, track, atMs, new Uint8Array(await blob.arrayBuffer()));
    return true;
  }

  /** Sends words: {track, text, start_ms, end_ms, is_final}. */
  sendText(part) {
    this.#send({type: "text", ...part});
  }

  /** Changes what may change while the call goes on. */
  update(session) {
    this.#send({type: "session.update", session});
  }

  /** Ends the call; gives its summary. */
  close() {
    this.#isClosing = true;
    this.#send({type: "session.close"});
    return this.summary;
  }

  #isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  #send(message) {
    if (this.#isOpen()) this.#socket.send(JSON.stringify(message));
  }

  #sendMedia(kind, track, atMs, bytes) {
    if (!this.#isOpen()) return;
    const message = new Uint8Array(HEADER_BYTES + bytes.length);
    const header = new DataView(message.buffer);
    header.setUint8(0, kind);
    header.setUint8(1, track);
    // All ones: it follows what came before.
    header.setBigUint64(4, atMs == null ? 0xffffffffffffffffn : BigInt(Math.round(atMs)), true);
    message.set(bytes, HEADER_BYTES);
    this.#socket.send(message);
  }

  #begin(options) {
    return new Promise((resolve, reject) => {
      const settled = (event) => {
        if (event.detail.type === "session.updated") resolve();
        if (event.detail.type === "error") reject(new Error(event.detail.message));
        if (event.detail.type === "session.created") this.#send({type: "session.update", session: options});
        if (event.detail.type !== "session.created") this.removeEventListener("event", settled);
      };
      this.addEventListener("event", settled);
      this.#connect("/v1/live", () => {});
      this.summary.catch(reject);
    });
  }

  #connect(path, opened) {
    const socket = new WebSocket(this.#base + path, this.#protocols);
    this.#socket = socket;
    socket.onopen = opened;
    socket.onmessage = ({data}) => this.#take(JSON.parse(data));
    socket.onclose = ({code}) => this.#lost(code);
  }

  #take(event) {
    this.#tries = 0;
    this.#newest = Math.max(this.#newest, event.number ?? 0);
    if (event.type === "session.created") {
      this.#created = event;
      this.#begun = performance.now();
    }
    if (event.type === "session.closed") {
      this.#isOver = true;
      this.#ended.resolve(event);
    }
    this.dispatchEvent(new CustomEvent("event", {detail: event}));
    this.dispatchEvent(new CustomEvent(event.type, {detail: event}));
  }

  // A lost connection is taken up again, with a growing wait between tries.
  #lost(code) {
    if (this.#isOver) return;
    const isRefused = this.#isClosing || code === 1000 || code === 1008 || !this.#created;
    if (isRefused || this.#tries >= MOST_TRIES) {
      this.#ended.reject(new Error("the connection to the server is lost"));
      this.dispatchEvent(new CustomEvent("lost", {detail: {code}}));
      return;
    }
    const waitMs = this.#tries === 0 ? 0 : Math.min(200 * 2 ** (this.#tries - 1), LONGEST_WAIT_MS);
    this.#tries += 1;
    setTimeout(() => {
      this.#connect(`/v1/live/${this.sessionId}`, () => {
        this.#send({type: "session.resume", resume_token: this.#created.resume_token, after: this.#newest});
      });
    }, waitMs);
  }
}

// Runs beside the page's own script: joins the microphone's blocks into pieces of 100 ms and brings them to 16 kHz.
const WORKLET = `
class Pieces extends AudioWorkletProcessor {
  constructor() {
    super();
    this.step = sampleRate / 16000;
    this.position = 0;
    this.sum = 0;
    this.count = 0;
    this.piece = new Int16Array(1600);
    this.filled = 0;
  }

  process([input]) {
    for (const sample of input[0] ?? []) {
      // The mean over a step keeps most of what would fold back out of the speech band.
      this.sum += sample;
      this.count += 1;
      this.position += 1;
      if (this.position >= this.step) {
        this.position -= this.step;
        this.put(this.sum / this.count);
        this.sum = 0;
        this.count = 0;
      }
    }
    return true;
  }

  put(value) {
    this.piece[this.filled] = Math.max(-1, Math.min(1, value)) * 32767;
    this.filled += 1;
    if (this.filled === this.piece.length) {
      this.port.postMessage(this.piece);
      this.piece = new Int16Array(1600);
      this.filled = 0;
    }
  }
}
registerProcessor("pieces", Pieces);
`;

/** Calls back with Int16Array pieces of 100 ms at 16 kHz, until the function that it gives is called. */
export async function listen(stream, take) {
  const context = new AudioContext({sampleRate: 16000});
  const module = URL.createObjectURL(new Blob([WORKLET], {type: "text/javascript"}));
  await context.audioWorklet.addModule(module);
  URL.revokeObjectURL(module);
  const pieces = new AudioWorkletNode(context, "pieces", {numberOfOutputs: 0});
  pieces.port.onmessage = ({data}) => take(data);
  context.createMediaStreamSource(stream).connect(pieces);
  await context.resume();
  return () => context.close();
}

/** Calls back with JPEG blobs of a video element, so many a second, until the function that it gives is called. */
export function watch(video, framesPerSecond, take) {
  const canvas = document.createElement("canvas");
  const timer = setInterval(() => {
    if (video.videoWidth === 0) return;
    // The models look at faces of 100 pixels or so; a width of 640 has room for them.
    canvas.width = Math.min(640, video.videoWidth);
    canvas.height = Math.round((canvas.width * video.videoHeight) / video.videoWidth);
    canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((blob) => blob && take(blob), "image/jpeg", 0.85);
  }, 1000 / framesPerSecond);
  return () => clearInterval(timer);
}
