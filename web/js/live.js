// Shows a face with its new expression while a slider moves, before anything is run.
//
// A run leaves the name of a node's face, and the values it was edited with, in the node's output (under MARK). When a
// value changes, the server is asked for a small picture of that face with the values as they are now, and the page shows
// it where the node shows its result. Results themselves come from runs only.

import { app } from "../../../scripts/app.js";
import { api } from "../../../scripts/api.js";

const NAME = "EmotionGAN.Live";
const NODES = ["EmotionGAN_ApplyExpression", "EmotionGAN_FaceShapes"];
const SETTING = "EmotionGAN.LivePreview";
const MARK = "emotiongan_live";
const WIDTH = 360; // of a new node: in the host's own, sliders are too short to be dragged with care
const BUSY = 409;
const FORGOTTEN = 404;
const RETRY_MS = 250;
const MOST_WAIT_MS = 5000; // should the page not hear that the host is idle again

const previews = new WeakMap(); // node -> its LivePreview
const waiting = new Set(); // what to call when nothing runs any more
let busy = false; // whether a workflow runs or waits

function untilIdle(mostMs) {
  return new Promise((resolve) => {
    waiting.add(resolve);
    setTimeout(resolve, mostMs);
  });
}

class LivePreview {
  constructor(node, inputs) {
    this.node = node;
    this.inputs = inputs; // names of the node's inputs
    this.run = null; // of the last run: face, values, and the id under which it knew the node
    this.shown = false; // whether the node shows a preview, not that run's result
    this.wanted = false; // whether a value changed since the last request
    this.asking = false; // one request at a time; what changes meanwhile waits, and only the newest is asked for
    this.forgotten = null; // name of a face that the server does not remember any more
    this.prepared = false; // whether the server has drawn this face before; the first time takes longer
  }

  executed(output) {
    const [run] = output?.[MARK] ?? [];
    if (!run || run.preview) return;
    this.prepared &&= run.face === this.run?.face;
    this.run = run;
    this.shown = false;
    this.changed(); // so that the face is prepared
  }

  // Undoing, or going to another workflow and back, makes new nodes; the page keeps their outputs.
  recall() {
    const { graph, id } = this.node;
    const [run] = app.nodeOutputs?.[graph?.isRootGraph === false ? `${graph.id}:${id}` : id]?.[MARK] ?? [];
    if (!run || run.face === this.forgotten) return;
    this.run = run;
    this.shown = Boolean(run.preview);
  }

  changed() {
    if (app.extensionManager?.setting?.get(SETTING) === false) return;
    if (!this.run) this.recall();
    this.wanted = Boolean(this.run);
    if (this.wanted && !this.asking) this.ask();
  }

  async ask() {
    this.asking = true;
    try {
      while (this.wanted && this.run) {
        if (busy) await untilIdle(MOST_WAIT_MS);
        this.wanted = false;
        await this.askOnce(this.run);
      }
    } catch (error) {
      console.warn("EmotionGAN: no live preview:", error);
    } finally {
      this.asking = false;
    }
  }

  async askOnce(run) {
    const values = this.values(run.values);
    const changed = this.shown || Object.entries(values).some(([name, value]) => run.values[name] !== value);
    if (!changed && this.prepared) return;
    const answer = await api.fetchApi("/emotiongan/preview", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ face: run.face, values }),
    });
    if (answer.ok) {
      const output = await answer.json();
      this.prepared ||= this.run === run;
      if (this.run !== run) this.wanted = true; // a run came in between
      else if (changed) this.show(output);
    } else if (answer.status === BUSY) {
      this.wanted = true;
      await untilIdle(RETRY_MS);
    } else {
      if (answer.status === FORGOTTEN) this.forgotten = run.face;
      if (this.run?.face === this.forgotten) this.run = null;
      console.debug("EmotionGAN: no live preview:", (await answer.json()).error);
    }
  }

  // What the node's own widgets say; a value that comes along a link stays that of the run.
  values(known) {
    const linked = new Set((this.node.inputs ?? []).filter((one) => one.link != null).map((one) => one.widget?.name));
    const own = (this.node.widgets ?? []).filter(
      ({ name }) => this.inputs.has(name) && name in known && !linked.has(name),
    );
    return Object.fromEntries(own.map(({ name, value }) => [name, value]));
  }

  // As a run's result is shown, so that every canvas does it in its own way and place.
  show(output) {
    if (this.node.graph?.getNodeById(this.node.id) !== this.node) return; // removed, or in another workflow
    const { node } = this.run;
    const detail = { node, display_node: node, prompt_id: "", output };
    detail.output[MARK] = [{ ...this.run, preview: true }];
    this.shown = true;
    api.dispatchEvent(new CustomEvent("executed", { detail }));
    this.node.setDirtyCanvas(true, true);
  }
}

const extension = {
  name: NAME,

  settings: [
    {
      id: SETTING,
      category: ["EmotionGAN", "Live preview", "Live preview"],
      name: "Show the face while a slider moves",
      tooltip:
        "After a run, Apply Expression and Face Shapes preview what their sliders would do. Results come from runs only.",
      type: "boolean",
      defaultValue: true,
    },
  ],

  setup() {
    api.addEventListener("executed", ({ detail }) => {
      const [run] = detail?.output?.[MARK] ?? [];
      if (run) run.node = detail.display_node ?? detail.node;
    });
    api.addEventListener("status", ({ detail }) => {
      busy = detail?.exec_info?.queue_remaining > 0;
      if (busy) return;
      waiting.forEach((resolve) => resolve());
      waiting.clear();
    });
  },

  // Also after undoing, when sliders stand elsewhere than the preview that is still shown.
  loadedGraphNode(node) {
    setTimeout(() => previews.get(node)?.changed());
  },

  beforeRegisterNodeDef(nodeType, nodeData) {
    if (!NODES.includes(nodeData.name)) return;
    const inputs = new Set(Object.keys({ ...nodeData.input?.required, ...nodeData.input?.optional }));
    const { onNodeCreated, onExecuted } = nodeType.prototype;

    nodeType.prototype.onNodeCreated = function (...given) {
      const returned = onNodeCreated?.apply(this, given);
      if (this.size[0] < WIDTH) this.setSize([WIDTH, this.size[1]]);
      const live = new LivePreview(this, inputs);
      previews.set(this, live);
      for (const widget of this.widgets ?? []) {
        const { callback } = widget;
        widget.callback = function (...args) {
          const result = callback?.apply(this, args);
          live.changed();
          return result;
        };
      }
      return returned;
    };

    nodeType.prototype.onExecuted = function (output, ...given) {
      const returned = onExecuted?.apply(this, [output, ...given]);
      queueMicrotask(() => previews.get(this)?.executed(output)); // when setup's listener has heard of it too
      return returned;
    };
  },
};

// A pack whose folder is not called as its project is served, and so loaded, under both names.
if (!app.extensions?.some(({ name }) => name === NAME)) app.registerExtension(extension);
