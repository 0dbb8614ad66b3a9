// What every page shares: light or dark, remembered from visit to visit, and the list of keyboard shortcuts.
(() => {
  const KEY = "pix2pix-theme";
  const system = matchMedia("(prefers-color-scheme: dark)");

  // A browser may refuse to store anything; then the page follows the system.
  const stored = () => { try { return localStorage.getItem(KEY); } catch { return null; } };
  const store = (mode) => { try { localStorage.setItem(KEY, mode); } catch { /* the choice lasts for this page */ } };

  function show(mode) {
    document.body.classList.toggle("dark", mode === "dark");
    document.documentElement.style.colorScheme = mode;
  }

  const wanted = () => stored() ?? (system.matches ? "dark" : "light");
  show(wanted());
  system.addEventListener("change", () => show(wanted()));

  // The list of endpoints is Gradio's own; it opens by a button only, which is in the footer that is not shown.
  function endpoints(patience) {
    const button = document.querySelector("footer:not(.p2p-footer) button");
    if (button) button.click();
    else if (patience > 0) setTimeout(() => endpoints(patience - 1), 100);
  }
  if (new URLSearchParams(location.search).has("api")) endpoints(100);

  function shortcuts() {
    const dialog = document.querySelector("dialog.p2p-shortcuts");
    if (dialog && !dialog.open) dialog.showModal();
  }

  document.addEventListener("click", (event) => {
    if (!(event.target instanceof Element)) return;
    if (event.target.closest("[data-theme-switch]")) {
      const mode = document.body.classList.contains("dark") ? "light" : "dark";
      store(mode);
      show(mode);
    } else if (event.target.closest("[data-shortcuts]")) {
      shortcuts();
    } else if (event.target.matches("dialog.p2p-shortcuts, dialog.p2p-shortcuts [data-close]")) {
      event.target.closest("dialog").close();
    }
  });

  document.addEventListener("keydown", (event) => {
    const isTyping = event.target instanceof Element && event.target.closest("input:not([type=range]), textarea, select");
    if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?") shortcuts();
    if (event.key === "d" || event.key === "D") document.querySelector(".p2p-result:not([hidden]) a.result-download:not([hidden])")?.click();
  });
})();
