"""The page's style: no file besides, dark where the reader's system is, tables that become cards on a phone."""

from __future__ import annotations

from typing import Final

__all__ = ["STYLE"]

STYLE: Final = """
:root{color-scheme:light dark;--bg:#f6f7f9;--card:#fff;--ink:#1b2230;--soft:#566073;--line:#dfe3ea;--good:#0f7a42;
--bad:#b3261e;--warn:#8a5300;--id:#0b5cad;--good-bg:#e3f5ea;--bad-bg:#fdeae8;--warn-bg:#fdf1dc;--soft-bg:#eef1f5;
--l0:#3b6fd4;--l1:#c2410c;--l2:#0f766e;--l3:#9333ea;--l4:#a16207;--l5:#be185d}
@media (prefers-color-scheme:dark){:root{--bg:#12161d;--card:#1b212b;--ink:#e6eaf1;--soft:#a3adbd;--line:#313a48;
--good:#5fd38d;--bad:#ff8a80;--warn:#f5be5b;--id:#7db7ff;--good-bg:#16341f;--bad-bg:#43201d;--warn-bg:#3b2c10;
--soft-bg:#252d39;--l0:#7aa5ff;--l1:#fb923c;--l2:#2dd4bf;--l3:#c084fc;--l4:#facc15;--l5:#f472b6}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Noto Sans",
sans-serif;overflow-wrap:anywhere}
main,header,footer{max-width:1180px;margin:0 auto;padding:0 20px}
header{padding-top:28px}h1{font-size:24px;line-height:1.25;margin:0 0 4px}h2{font-size:17px;margin:0 0 12px}
h3{font-size:15px;margin:16px 0 6px}h3:first-of-type{margin-top:0}
p{margin:4px 0 10px}.soft,footer{color:var(--soft)}footer{padding-bottom:32px;font-size:13px}
code,.id,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.92em}
.id{color:var(--id)}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:20px 0}
.tile{background:var(--card);border:1px solid var(--line);border-top:4px solid var(--line);border-radius:8px;
padding:10px 14px}
.tile b{display:block;font-size:19px;line-height:1.3}.tile span{color:var(--soft);font-size:13px}
.tile.good{border-top-color:var(--good)}.tile.bad{border-top-color:var(--bad)}.tile.warn{border-top-color:var(--warn)}
.tile.good b{color:var(--good)}.tile.bad b{color:var(--bad)}.tile.warn b{color:var(--warn)}
section{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:16px 18px;margin:0 0 16px}
table{border-collapse:collapse;width:100%;font-size:14px;table-layout:fixed}
th{text-align:left;color:var(--soft);font-weight:600;font-size:13px;border-bottom:1px solid var(--line);
padding:4px 14px 6px 0}
td{padding:6px 14px 6px 0;border-bottom:1px solid var(--line);vertical-align:top}tr:last-child td{border-bottom:0}
.num{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;overflow-wrap:normal}
dl{display:grid;grid-template-columns:minmax(90px,max-content) 1fr;gap:4px 16px;margin:0}dt{color:var(--soft)}
dd{margin:0;min-width:0}
ul{list-style:none;margin:0 0 6px;padding:0}li{padding:3px 0}ul ul{margin:2px 0 4px 4px}
.chip{display:inline-block;border-radius:4px;padding:0 7px;font-size:12px;line-height:20px;background:var(--soft-bg);
color:var(--ink);white-space:nowrap;overflow-wrap:normal}
.chip.good{background:var(--good-bg);color:var(--good)}.chip.bad{background:var(--bad-bg);color:var(--bad)}
.chip.warn{background:var(--warn-bg);color:var(--warn)}
.op{padding-left:18px}.sign{display:inline-block;width:18px;margin-left:-18px;font-weight:700}.sign.good{color:var(--good)}.sign.bad{color:var(--bad)}
.sign.warn{color:var(--warn)}
.graph{position:relative;display:flex;gap:8px;max-height:640px;overflow-y:auto;overflow-x:hidden;border-radius:6px}
.lanes{flex:none;max-width:45%;overflow-x:auto;overflow-y:hidden}.lanes svg{display:block}
.rows{flex:1;min-width:0}
.row{height:30px;line-height:30px;display:flex;gap:10px;align-items:center;white-space:nowrap}
.row .id{flex:none;max-width:60%;overflow:hidden;text-overflow:ellipsis}
.row .text{flex:1;min-width:0;overflow:hidden;text-overflow:ellipsis;text-align:left}.row .chip{flex:none}
.lane{fill:none;stroke-width:2}.open,.need{stroke-dasharray:4 4}.need{fill:none;stroke:var(--soft);stroke-width:1.5}
.l0{stroke:var(--l0)}.l1{stroke:var(--l1)}.l2{stroke:var(--l2)}.l3{stroke:var(--l3)}.l4{stroke:var(--l4)}
.l5{stroke:var(--l5)}
.dot{fill:var(--soft);stroke:var(--card);stroke-width:2}.dot.applied,.dot.current{fill:var(--good)}
.dot.current{stroke:var(--good);stroke-width:4}.dot.pending{fill:var(--card);stroke:var(--warn);stroke-width:2.5}
.dot.failed{fill:var(--bad)}
.indexes{color:var(--soft);font-size:13px}.indexes li{padding:1px 0}
@media (max-width:700px){main,header,footer{padding-left:12px;padding-right:12px}section{padding:14px 12px}
.tiles{grid-template-columns:repeat(2,1fr);gap:8px}
table,tbody,tr,td{display:block;width:100%}thead{position:absolute;clip-path:inset(50%);height:1px;overflow:hidden}
tr{border-bottom:1px solid var(--line);padding:8px 0}tr:last-child{border-bottom:0}
td,tr:last-child td{border:0;padding:2px 0;display:flex;gap:10px;text-align:left;white-space:normal}
td::before{content:attr(data-label);flex:0 0 96px;color:var(--soft);font-size:13px}
td.num{text-align:left}td>*{min-width:0}.lanes{max-width:26%}
.row{display:grid;grid-template-columns:minmax(0,1fr) auto;gap:0 8px;line-height:15px;font-size:12px}
.row .id{grid-column:1;grid-row:1;max-width:none}.row .text{grid-column:1;grid-row:2}
.row .chip{grid-column:2;grid-row:1/3}.row .chip.minor{display:none}}
@media print{body{background:#fff}.graph{max-height:none}section{break-inside:avoid}}
""".strip()
