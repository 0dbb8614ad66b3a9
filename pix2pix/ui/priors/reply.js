// An answer of the server, handed to the page's board.
watch("value", () => {
  if (props.value) document.getElementById(props.board)?.dispatchEvent(new CustomEvent("reply", { detail: props.value }));
});
