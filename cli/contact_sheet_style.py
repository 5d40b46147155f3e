"""How a contact sheet looks: on a phone, on a desk, in the dark and on paper."""

from typing import Final

STYLE: Final = """
:root {
  --page: #f6f6f4; --card: #fff; --frame: #e9e9e5; --ink: #1d1d1b; --soft: #63635e; --line: #dededa; --badge: #1d1d1b;
  --badge-ink: #fff; --link: #0b57b0;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #161615; --card: #212120; --frame: #2c2c2a; --ink: #ececea; --soft: #a3a39d; --line: #373735;
    --badge: #f2f2ef; --badge-ink: #161615; --link: #8ab8f5;
  }
}
* { box-sizing: border-box; margin: 0; }
body {
  max-width: 88rem; margin: 0 auto; padding: 1.25rem clamp(.75rem, 3vw, 2.5rem) 3rem;
  background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: .9375rem/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif;
}
header { padding-bottom: 1rem; border-bottom: 1px solid var(--line); }
h1 { font-size: 1.6rem; line-height: 1.2; letter-spacing: -.01em; }
header p, .note { color: var(--soft); margin-top: .3rem; }
section { margin-top: 2rem; }
h2 { font-size: 1.1rem; line-height: 1.3; }
.cards {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 13.5rem), 1fr)); gap: 1rem;
  list-style: none; padding: 0; margin-top: .8rem;
}
@media (max-width: 32rem) { .cards { grid-template-columns: 1fr 1fr; gap: .6rem; } }
.cards > li {
  background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding-bottom: .65rem;
  overflow: hidden;
  /* A sheet of thousands is laid out where it is looked at. */
  content-visibility: auto; contain-intrinsic-size: auto 20rem;
}
.cards a { display: block; color: inherit; text-decoration: none; }
.cards a h3 { color: var(--link); }
.cards a:hover h3, .cards a:focus-visible h3 { text-decoration: underline; }
.cards a:focus-visible { outline: 3px solid var(--link); outline-offset: -3px; }
.frame { display: grid; place-items: center; position: relative; aspect-ratio: 1; background: var(--frame); }
.frame img { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
.missing { color: var(--soft); font-size: .85rem; }
.badge {
  position: absolute; top: .5rem; inset-inline-start: .5rem; max-width: calc(100% - 1rem); padding: .1rem .5rem;
  border-radius: 1rem; background: var(--badge); color: var(--badge-ink); font-size: .78rem; font-weight: 600;
  box-shadow: 0 0 0 1px rgb(128 128 128 / .6);
}
h3 { font-size: .95rem; font-weight: 600; line-height: 1.3; margin: .55rem .7rem 0; }
li p {
  color: var(--soft); font-size: .84rem; margin: .15rem .7rem 0;
  display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 4; overflow: hidden;
}
@media print {
  :root { --page: #fff; --card: #fff; --frame: #fff; --ink: #000; --soft: #444; --line: #bbb; --link: #000; }
  .cards { grid-template-columns: repeat(4, 1fr); }
  .cards > li { break-inside: avoid; content-visibility: visible; }
}
"""
