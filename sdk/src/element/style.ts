/** The look, by custom properties of the page around it; `light-dark()` follows that page's color-scheme. */
export const style = `
:host {
  --accent: var(--firstproof-accent, light-dark(#0b6653, #6cd3b6));
  --on-accent: var(--firstproof-on-accent, light-dark(#fff, #06231b));
  --surface: var(--firstproof-surface, light-dark(#fffefb, #181d1a));
  --sunken: var(--firstproof-sunken, light-dark(#f1efe8, #222824));
  --ink: var(--firstproof-ink, light-dark(#1b211e, #ecf0eb));
  --soft: var(--firstproof-soft, light-dark(#565f5a, #a9b3ac));
  --line: var(--firstproof-line, light-dark(#858b85, #737d76));
  --danger: var(--firstproof-danger, light-dark(#a8321f, #ff9d87));
  --radius: var(--firstproof-radius, 0.75rem);
  display: block; max-inline-size: 27rem; color: var(--ink); font: 1rem/1.5 var(--firstproof-font, system-ui, sans-serif); overflow-wrap: anywhere;
}
:host([hidden]) { display: none; }
*, ::before { box-sizing: border-box; }
h2, p, form { margin: 0; }
h2 { font-size: 1.375em; line-height: 1.2; text-wrap: balance; }
.card { display: grid; gap: 1.25rem; padding: var(--firstproof-padding, 1.5rem); background: var(--surface); border-radius: calc(var(--radius) * 1.5); }
.card > *, form > * { min-inline-size: 0; }
form, fieldset, .field, .lead, .choices { display: grid; gap: 0.5rem; }
form, fieldset { gap: 1.25rem; }
fieldset { margin: 0; padding: 0; border: 0; min-inline-size: 0; }
fieldset.field { gap: 0.25rem; }
legend { padding: 0; margin-block-end: 0.75rem; font-weight: 600; }
.field > legend { margin-block-end: 0.25rem; font-size: 0.875em; }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 9rem), 1fr)); gap: 1.25rem 0.75rem; align-items: start; }
.optional { color: var(--soft); font-weight: 400; }
.soft, .hint { color: var(--soft); }
.hint, .wrong, .choices, label:not(.tick) { font-size: 0.875em; }
label { font-weight: 600; }
.wrong, .alert { color: var(--danger); }
.alert { padding: 0.75rem 1rem; border-radius: var(--radius); background: color-mix(in srgb, var(--danger) 10%, var(--surface)); }
input, select, textarea, button, .button { font: inherit; color: inherit; min-block-size: 3rem; border-radius: var(--radius); border: 1px solid var(--line); }
input, select, textarea { inline-size: 100%; padding: 0.5rem 0.75rem; background: var(--surface); text-align: start; }
textarea { resize: vertical; }
:host([dir="rtl"]) input[dir="ltr"] { text-align: end; }
.tick { display: grid; grid-template-columns: auto 1fr; gap: 0.75rem; align-items: center; min-block-size: 2.75rem; font-size: 1em; font-weight: 400; }
.tick input { inline-size: 1.25rem; block-size: 1.25rem; min-block-size: 0; margin: 0; accent-color: var(--accent); }
[aria-invalid] { border-color: var(--danger); }
input.code { font: 600 1.625em/1.2 ui-monospace, monospace; letter-spacing: 0.3em; text-align: center; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
button { cursor: pointer; }
.button { display: grid; place-items: center; padding: 0.5rem 1.25rem; text-align: center; text-decoration: none; background: var(--accent); border-color: transparent; color: var(--on-accent); font-weight: 600; }
[aria-busy] { cursor: progress; }
.button[aria-busy] { background: color-mix(in srgb, var(--accent) 85%, #000); }
.plain[aria-busy] { background: var(--sunken); }
.plain { background: none; border-color: var(--line); color: var(--ink); }
/* Always there, so that what it says is spoken. */
.person:not(.on) { position: absolute; }
.person { display: grid; gap: 0.75rem; border-radius: 0.25rem; }
.ways { display: flex; flex-wrap: wrap; gap: 0.25rem; padding: 0.25rem; background: var(--sunken); border-radius: var(--radius); }
/* Words stay whole. */
.ways button { flex: 1 1 0; white-space: nowrap; min-block-size: 2.5rem; padding: 0 0.5rem; border: 0; background: none; color: var(--soft); font-size: 0.875em; }
.ways [aria-pressed="true"] { background: var(--surface); color: var(--ink); font-weight: 600; }
.link { justify-self: start; min-block-size: 1.75rem; padding: 0; border: 0; border-radius: 0.25rem; background: none; color: var(--accent); text-decoration: underline; text-underline-offset: 0.2em; text-align: start; }
.link:disabled { color: var(--soft); text-decoration: none; cursor: default; }
.secret { position: relative; display: block; }
.secret input { padding-inline-end: 6.5rem; }
:host([dir="rtl"]) .secret input { padding-inline: 6.5rem 0.75rem; }
.reveal { position: absolute; inset-block: 1px; inset-inline-end: 0.25rem; min-block-size: 0; padding-inline: 0.75rem; border: 0; background: none; color: var(--accent); font-size: 0.875em; }
.number { justify-self: center; padding: 0.75rem 1.5rem; border-radius: var(--radius); background: var(--sunken); color: var(--accent); font: 600 2.5em/1 ui-monospace, monospace; letter-spacing: 0.1em; direction: ltr; }
.spoken { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
`;
