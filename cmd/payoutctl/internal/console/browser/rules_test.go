package browser_test

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// controls are the roles of what a person can operate.
var controls = []string{
	"button", "checkbox", "combobox", "link", "listbox", "menuitem", "radio", "searchbox", "slider", "spinbutton", "switch", "tab", "textbox",
	"DisclosureTriangle", "Iframe", "image", "table",
}

// check fails the test for each rule of accessibility that the page breaks.
func (b *tab) check() {
	b.t.Helper()
	for _, broken := range b.brokenRules() {
		b.t.Errorf("page %s: %s", b.path(), broken)
	}
}

// brokenRules returns what is wrong with the page.
func (b *tab) brokenRules() (broken []string) {
	b.t.Helper()
	broken = append(evaluate[[]string](b, structure), b.unnamed()...)
	for _, scheme := range []string{"dark", "light"} {
		b.call("set the color scheme", func(ctx context.Context, target *chromedp.Target) error {
			_, err := cdp.Call(ctx, target, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
				Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
			})
			return err
		})
		for _, text := range evaluate[[]string](b, contrast) {
			broken = append(broken, scheme+": "+text)
		}
	}
	b.resize(640, 450)
	broken = append(broken, evaluate[[]string](b, reflow)...)
	b.resize(1280, 900)
	return broken
}

// unnamed returns the controls without a name, from the accessibility tree.
func (b *tab) unnamed() (broken []string) {
	b.t.Helper()
	var nodes []node
	b.call("read the accessibility tree", func(ctx context.Context, target *chromedp.Target) (err error) {
		nodes, err = tree(ctx, target)
		return err
	})
	headings := 0
	for _, n := range nodes {
		if slices.Contains(controls, n.role) && n.name == "" {
			broken = append(broken, fmt.Sprintf("a %s has no name", n.role))
		}
		if n.role == "heading" && n.properties["level"] == "1" {
			headings++
		}
	}
	for _, landmark := range []string{"banner", "navigation", "main"} {
		if !slices.ContainsFunc(nodes, func(n node) bool { return n.role == landmark }) {
			broken = append(broken, "no landmark "+landmark)
		}
	}
	if headings != 1 {
		broken = append(broken, fmt.Sprintf("%d headings of level 1, want 1", headings))
	}
	return broken
}

// structure returns what is wrong with the elements of a page.
var structure = script(`
	const broken = [], all = (selector) => [...document.querySelectorAll(selector)];
	const show = (element) => element.outerHTML.slice(0, 120);
	if (!document.documentElement.lang) broken.push("html has no lang");
	if (!document.title.trim()) broken.push("the page has no title");
	for (const table of all("table")) {
		if (!table.caption || !table.caption.textContent.trim()) broken.push("table without a caption: " + show(table));
	}
	for (const head of all("th:not([scope])")) broken.push("th without a scope: " + show(head));
	for (const form of all("form")) {
		const action = form.getAttribute("action");
		if (!action || !action.startsWith("/") || action.startsWith("//")) broken.push("form without an absolute path: " + show(form));
	}
	for (const link of all("a[href]")) {
		if (link.host !== location.host && link.protocol !== "data:") broken.push("link to another host: " + show(link));
	}
	for (const element of all("[style], [onclick], [onsubmit], style, script:not([src])")) broken.push("inline script or style: " + show(element));
	const ids = all("[id]").map((element) => element.id);
	for (const id of ids.filter((id, i) => ids.indexOf(id) !== i)) broken.push("two elements with the id " + id);
	for (const element of all("[aria-labelledby], [aria-describedby], label[for]")) {
		for (const name of ["aria-labelledby", "aria-describedby", "for"]) {
			for (const id of (element.getAttribute(name) || "").split(" ").filter(Boolean)) {
				if (!document.getElementById(id)) broken.push(name + " names no element: " + show(element));
			}
		}
	}
	for (const live of all("tr[aria-live], tr[role=status], tbody[aria-live], tbody[role=status]")) broken.push("live region for rows: " + show(live));
	return broken;`)

// contrast returns the texts whose color differs too little from what is behind them: WCAG 2.2, 1.4.3.
var contrast = script(`
	const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
	const rgba = (color) => {
		canvas.clearRect(0, 0, 1, 1);
		canvas.fillStyle = color;
		canvas.fillRect(0, 0, 1, 1);
		return [...canvas.getImageData(0, 0, 1, 1).data].map((part) => part / 255);
	};
	const probe = document.body.appendChild(document.createElement("p"));
	probe.style.color = "Canvas";
	const sheet = rgba(getComputedStyle(probe).color);
	probe.remove();
	const over = (top, bottom) => bottom.map((part, i) => i === 3 ? 1 : top[i] * top[3] + part * (1 - top[3]));
	const light = (color) => color.slice(0, 3).map((part) => part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4)
		.reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);
	const behind = (element) => {
		const below = element.parentElement ? behind(element.parentElement) : sheet;
		return over(rgba(getComputedStyle(element).backgroundColor), below);
	};
	const broken = new Set(), walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walker.nextNode()) {
		const element = walker.currentNode.parentElement, style = getComputedStyle(element);
		if (!walker.currentNode.textContent.trim() || !element.checkVisibility({visibilityProperty: true}) || element.closest(":disabled")) continue;
		const back = behind(element), isSVG = element instanceof SVGElement;
		const front = over(rgba(isSVG ? style.fill : style.color), back);
		const lights = [light(front), light(back)].sort((a, b) => a - b);
		const size = parseFloat(style.fontSize), isLarge = size >= 24 || size >= 18.66 && style.fontWeight >= 700;
		const ratio = (lights[1] + 0.05) / (lights[0] + 0.05);
		if (!isSVG && ratio < (isLarge ? 3 : 4.5)) {
			broken.add("contrast " + ratio.toFixed(2) + " of " + element.tagName.toLowerCase() + "." + element.className +
				" " + JSON.stringify(walker.currentNode.textContent.trim().slice(0, 40)));
		}
	}
	return [...broken];`)

// reflow returns what does not fit into the width of the page and has no scroll bar of its own.
var reflow = script(`
	const root = document.documentElement;
	return root.scrollWidth > root.clientWidth ? ["at 200 % zoom the page is " + (root.scrollWidth - root.clientWidth) + " px too wide"] : [];`)

// script returns an expression with the value that the statements return.
func script(statements string) string {
	return "(() => {" + strings.TrimSpace(statements) + "})()"
}
