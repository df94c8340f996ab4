/* Cupral's own script: the drawer, the live line, charts, job progress. Pages work without it. */
"use strict";
(() => {
  const drawer = document.getElementById("drawer");
  const body = document.getElementById("drawer-body");
  let opener = null;

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[hx-target='#drawer-body']");
    if (link && !drawer.contains(link)) opener = link;
    if (event.target.closest("[data-close]") || event.target === drawer) drawer.close();
  });
  document.addEventListener("htmx:afterSwap", (event) => {
    if (event.detail.target !== body) return;
    if (!drawer.open) drawer.showModal();
    body.scrollTop = 0; drawer.scrollTop = 0;
    const head = body.querySelector("h1, h2");
    if (head) { head.tabIndex = -1; head.focus({ preventScroll: true }); }
  });
  document.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.xhr.status >= 400) { event.detail.shouldSwap = true; event.detail.isError = false; }
  });
  if (drawer) drawer.addEventListener("close", () => { body.replaceChildren(); if (opener) opener.focus(); });

  const live = document.querySelector("[data-live]");
  if (live && "EventSource" in window) {
    const text = live.querySelector("[data-live-text]");
    const source = new EventSource(live.dataset.live);
    source.addEventListener("ledger", (event) => {
      const now = JSON.parse(event.data);
      live.dataset.on = "";
      live.dataset.tick = now.tick;
      if (String(now.head) === live.dataset.head) return;
      live.dataset.head = now.head;
      const again = document.createElement("a");
      again.href = location.href;
      again.textContent = live.dataset.changed.replace("{head}", now.head);
      const stale = now.stale ? " " + live.dataset.stale.replace("{count}", now.stale) : "";
      text.replaceChildren(again, stale);
    });
    source.onerror = () => { delete live.dataset.on; };
    window.addEventListener("pagehide", () => source.close());
  }

  const job = document.querySelector("[data-job]");
  if (job && "EventSource" in window) {
    const source = new EventSource(job.dataset.job + "/events");
    const bar = job.querySelector("progress");
    const show = (event) => {
      const now = JSON.parse(event.data);
      bar.max = now.of; bar.value = now.done;
      job.querySelectorAll("[data-step]").forEach((item, number) => {
        item.dataset.state = number < now.done ? "done" : number === now.done && now.state === "running" ? "now" : "later";
      });
    };
    source.addEventListener("progress", show);
    source.addEventListener("end", (event) => { show(event); source.close(); location.reload(); });
  }

  const number = new Intl.NumberFormat("en", { maximumSignificantDigits: 5 });
  document.querySelectorAll("[data-sankey]").forEach((place) => {
    if (!window.echarts) return;
    const given = JSON.parse(place.dataset.sankey);
    place.replaceChildren();
    const chart = window.echarts.init(place, null, { renderer: "svg" });
    const option = () => ({
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: "#26221f" },
      tooltip: {
        trigger: "item", renderMode: "richText", confine: true,
        formatter: (item) => item.dataType === "edge"
          ? item.data.stream + "\n" + number.format(item.value) + " " + item.data.unit
          : item.name + "\n" + number.format(item.value),
      },
      series: [{
        type: "sankey", draggable: false, nodeGap: 16, nodeWidth: 14,
        left: 8, right: 150, top: 16, bottom: 16, emphasis: { focus: "adjacency" },
        label: { fontSize: 11, color: "#26221f", width: 150, overflow: "break" },
        itemStyle: { color: "#56656f", borderWidth: 0 },
        data: given.nodes,
        links: given.links.map((link) => ({ ...link, lineStyle: { color: link.colour, opacity: 0.55 } })),
      }],
    });
    chart.setOption(option());
    new ResizeObserver(() => { chart.resize(); chart.setOption(option()); }).observe(place);
    place.dataset.drawn = "";
  });
})();
