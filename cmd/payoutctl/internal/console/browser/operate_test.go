package browser_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/chromedp/cdproto/accessibility"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// A way is how a person operates a page.
type way string

const (
	mouse    way = "mouse"
	keyboard way = "keyboard"
	noScript way = "mouse, without script"
)

// use sets how the following steps are done.
func (b *tab) use(w way) {
	b.t.Helper()
	b.way = w
	b.call("set whether scripts run", func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: w == noScript})
		return err
	})
}

// press operates the control with a role and a name of the accessibility tree.
func (b *tab) press(role, name string) {
	b.t.Helper()
	if b.way != keyboard {
		b.click(role, name)
		return
	}
	b.focus(role, name)
	if role == "checkbox" || role == "radio" {
		b.key(" ")
	} else {
		b.key(kb.Enter)
	}
}

// fill replaces the text of a field.
func (b *tab) fill(name, text string) {
	b.t.Helper()
	if b.way == keyboard {
		b.focus("textbox|searchbox", name)
	} else {
		b.click("textbox|searchbox", name)
	}
	b.call("fill "+name, func(ctx context.Context, target *chromedp.Target) error {
		if _, err := chromedp.KeyEvent("a", chromedp.KeyModifiers(kb.ModifierCtrl))(ctx, target); err != nil {
			return err
		}
		_, err := cdp.Call(ctx, target, input.InsertText, input.InsertTextParams{Text: text})
		return err
	})
}

// choose selects the option of a list that begins with a text. The list is never opened: it is a window outside the page.
func (b *tab) choose(name, option string) {
	b.t.Helper()
	if b.way == keyboard {
		b.focus("combobox", name)
		b.key(option)
		return
	}
	id := b.find("combobox", name)
	b.call("choose "+option, func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, dom.Focus, dom.FocusParams{BackendNodeID: id}); err != nil {
			return err
		}
		_, err := chromedp.KeyEvent(option)(ctx, target)
		return err
	})
}

func (b *tab) click(role, name string) {
	b.t.Helper()
	id := b.find(role, name)
	b.call("click "+name, func(ctx context.Context, target *chromedp.Target) error {
		if _, err := cdp.Call(ctx, target, dom.ScrollIntoViewIfNeeded, dom.ScrollIntoViewIfNeededParams{BackendNodeID: id}); err != nil {
			return err
		}
		shape, err := cdp.Call(ctx, target, dom.GetContentQuads, dom.GetContentQuadsParams{BackendNodeID: id})
		if err != nil || len(shape.Quads) == 0 {
			return errors.Join(err, errors.New("it has no place on the page"))
		}
		corner, opposite := shape.Quads[0][:2], shape.Quads[0][4:6]
		_, err = chromedp.MouseClickXY((corner[0]+opposite[0])/2, (corner[1]+opposite[1])/2)(ctx, target)
		return err
	})
}

// focus presses the tab key until a control has the focus, and checks that each focus on the way is visible.
func (b *tab) focus(role, name string) {
	b.t.Helper()
	id := b.find(role, name)
	const most = 500
	for range most {
		b.key(kb.Tab)
		switch b.focusOn(id) {
		case "here":
			return
		case "invisible":
			b.t.Fatalf("on the way to %s %q a control hides its focus: %s", role, name, evaluate[string](b, `document.activeElement.outerHTML`))
		}
	}
	b.t.Fatalf("%d presses of the tab key do not lead to %s %q", most, role, name)
}

// focusOn returns "here" if the control has the focus, "invisible" if another has it and does not show it, else "elsewhere".
func (b *tab) focusOn(id cdp.BackendNodeID) (where string) {
	b.t.Helper()
	b.call("read the focus", func(ctx context.Context, target *chromedp.Target) error {
		resolved, err := cdp.Call(ctx, target, dom.ResolveNode, dom.ResolveNodeParams{BackendNodeID: id})
		if err != nil {
			return err
		}
		where, err = chromedp.CallFunctionOn[string](`function () {
			const active = document.activeElement, style = getComputedStyle(active);
			if (active !== document.body && (style.outlineStyle === "none" || style.outlineWidth === "0px")) return "invisible";
			return active === this ? "here" : "elsewhere";
		}`, func(p *runtime.CallFunctionOnParams) { p.ObjectID = resolved.Object.ObjectID })(ctx, target)
		return err
	})
	return where
}

// key presses keys, as if typed.
func (b *tab) key(keys string) {
	b.t.Helper()
	b.call("press a key", func(ctx context.Context, target *chromedp.Target) error {
		_, err := chromedp.KeyEvent(keys)(ctx, target)
		return err
	})
}

// find waits for the control with a role and a name, and returns it. The role may be several, as in a|b. The name may go
// on with other text. The first of several controls counts, and an exact name before a longer one.
func (b *tab) find(role, name string) (id cdp.BackendNodeID) {
	b.t.Helper()
	b.retry(fmt.Sprintf("the page has a %s %q", role, name), func(ctx context.Context, target *chromedp.Target) (bool, error) {
		nodes, err := tree(ctx, target)
		id = 0
		for _, n := range nodes {
			isRole := slices.Contains(strings.Split(role, "|"), n.role)
			if isRole && n.name == name {
				id = n.id
				return true, nil
			}
			if id == 0 && isRole && strings.HasPrefix(n.name, name) {
				id = n.id
			}
		}
		return id != 0, err
	})
	return id
}

// node is what a screen reader knows about a part of the page.
type node struct {
	id         cdp.BackendNodeID
	role, name string
	properties map[accessibility.PropertyName]string
}

// tree returns the accessibility tree, without the nodes that are ignored.
func tree(ctx context.Context, target *chromedp.Target) ([]node, error) {
	full, err := cdp.Call(ctx, target, accessibility.GetFullAXTree, accessibility.GetFullAXTreeParams{})
	if err != nil {
		return nil, err
	}
	var nodes []node
	for _, n := range full.Nodes {
		if n.Ignored {
			continue
		}
		properties := map[accessibility.PropertyName]string{}
		for _, p := range n.Properties {
			properties[p.Name] = valueText(p.Value)
		}
		nodes = append(nodes, node{n.BackendDOMNodeID, valueText(n.Role), strings.TrimSpace(valueText(n.Name)), properties})
	}
	return nodes, nil
}

// valueText returns a text as it is, and another value as JSON.
func valueText(value *accessibility.Value) string {
	if value == nil {
		return ""
	}
	var text string
	if err := json.Unmarshal(value.Value, &text); err != nil {
		return string(value.Value)
	}
	return text
}
