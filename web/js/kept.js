// Shows on a node what it told and showed when it ran, also when the host takes the node from its cache.
//
// The host gives a cached node's UI output to the page again, but neither a text on the node nor its last live preview. Both
// are therefore in the UI output as well (under TOLD and SEEN), and go the way that the host's own take from here.

import { app } from "../../../scripts/app.js";
import { api } from "../../../scripts/api.js";

const NAME = "EmotionGAN.Kept";
const TOLD = "emotiongan_told";
const SEEN = "emotiongan_seen";
const WIDGET = "$$node-text-preview"; // the host's, in which a node's text is shown

function clear(id) {
  const node = app.rootGraph?.getNodeById?.(id) ?? app.graph?.getNodeById?.(id);
  const widget = node?.widgets?.find(({ name }) => name === WIDGET);
  if (widget) widget.value = "";
}

async function show(id, output, jobId = "") {
  const [text] = output?.[TOLD] ?? [];
  if (text) api.dispatchEvent(new CustomEvent("progress_text", { detail: { nodeId: id, text } }));
  else if (text === "") clear(id);
  const [seen] = output?.[SEEN] ?? [];
  if (!seen) return;
  const answer = await api.fetchApi(`/view?${new URLSearchParams(JSON.parse(seen))}`);
  if (!answer.ok) return; // the host's temporary files are gone
  const detail = { blob: await answer.blob(), nodeId: id, displayNodeId: id, parentNodeId: id, realNodeId: id, jobId };
  api.dispatchEvent(new CustomEvent("b_preview_with_metadata", { detail }));
}

const extension = {
  name: NAME,

  setup() {
    api.addEventListener("executed", ({ detail }) => {
      const id = detail?.display_node ?? detail?.node;
      if (id != null) show(String(id), detail.output, detail.prompt_id);
    });
  },

  // Undoing, or going to another workflow and back, makes new nodes; the page keeps their outputs.
  loadedGraphNode(node) {
    const { graph, id } = node;
    if (graph?.isRootGraph === false) return;
    setTimeout(() => show(String(id), app.nodeOutputs?.[id]));
  },
};

// A pack whose folder is not called as its project is served, and so loaded, under both names.
if (!app.extensions?.some(({ name }) => name === NAME)) app.registerExtension(extension);
