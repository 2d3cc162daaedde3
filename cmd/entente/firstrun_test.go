// SPDX-License-Identifier: AGPL-3.0-or-later

package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/base64"
	"fmt"
	"image/png"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	"github.com/makiuchi-d/gozxing"
	"github.com/makiuchi-d/gozxing/qrcode"
	"github.com/pquerna/otp/totp"

	"github.com/entente-project/entente/internal/i18n"
)

// asProgram makes the test's own executable behave as the program, so that a
// test can start it, read what it prints and end it.
const asProgram = "TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	code := m.Run()
	removeMoulds()
	os.Exit(code)
}

// program starts entente with arguments; its lines come by the channel. It is
// interrupted when the test ends, and must then end well.
func program(t *testing.T, args ...string) <-chan string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], args...)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	cmd.Env = append(os.Environ(), asProgram+"=1")
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string, 16)
	go func() {
		defer close(lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		for range lines { // until it has said its last
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 0 {
			t.Errorf("the program ended with %v", err)
		}
	})
	return lines
}

// saidBy is the rest of the line that begins so.
func saidBy(t *testing.T, lines <-chan string, prefix string) string {
	t.Helper()
	for {
		select {
		case l, ok := <-lines:
			if rest, found := strings.CutPrefix(l, prefix); found {
				return rest
			}
			if !ok {
				t.Fatalf("the program never said %q", prefix)
			}
		case <-time.After(30 * time.Second):
			t.Fatalf("the program never said %q", prefix)
		}
	}
}

// put types into fields by id, and chooses radio buttons and boxes by name=value.
func (b browser) put(values ...string) {
	b.t.Helper()
	for i := 0; i < len(values); i += 2 {
		name, value := values[i], values[i+1]
		done := eval[bool](b, fmt.Sprintf(`(() => {
			const box = [...document.querySelectorAll('input[type=radio], input[type=checkbox]')].find(i => i.name === %q && i.value === %q);
			if (box) { if (!box.checked) box.click(); return true; }
			const f = document.getElementById(%q);
			if (!f) return false;
			f.value = %q;
			f.dispatchEvent(new Event('input', { bubbles: true }));
			return true; })()`, name, value, name, value))
		if !done {
			b.t.Fatalf("no field %q for %q at %s", name, value, eval[string](b, "location.pathname"))
		}
	}
}

// looks checks and photographs the page as it is: wide, narrow and dark.
func (b browser) looks(name, lang string) {
	b.t.Helper()
	for _, look := range []struct {
		name  string
		width int64
		dark  bool
	}{{"phone", 390, false}, {"dark", 1280, true}, {"desktop", 1280, false}} {
		b.look(look.width, look.dark)
		if wide := eval[float64](b, "document.documentElement.scrollWidth - innerWidth"); wide > 0 {
			b.t.Errorf("%s %s %s: %.0f px wider than the window", name, look.name, lang, wide)
		}
		b.shot(name + "-" + look.name + "-" + lang)
	}
}

// scan reads the QR code on the page as a telephone would.
func (b browser) scan() string {
	b.t.Helper()
	b.until("document.querySelector('.scan img')")
	data := strings.TrimPrefix(eval[string](b, "document.querySelector('.scan img').src"), "data:image/png;base64,")
	raw, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		b.t.Fatal(err)
	}
	img, err := png.Decode(bytes.NewReader(raw))
	if err != nil {
		b.t.Fatal(err)
	}
	bits, err := gozxing.NewBinaryBitmapFromImage(img)
	if err != nil {
		b.t.Fatal(err)
	}
	// The reader is made for photographs and misses some drawn codes; then it is told that this is one.
	code, err := qrcode.NewQRCodeReader().Decode(bits, nil)
	if err != nil {
		code, err = qrcode.NewQRCodeReader().Decode(bits, map[gozxing.DecodeHintType]any{gozxing.DecodeHintType_PURE_BARCODE: true})
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return code.GetText()
}

// TestFirstRun is a real practice's first day, in each language: the program is
// started on an empty folder, set up by its first page, a colleague is invited,
// clients of each age are added and asked by code, by mail and on this device.
func TestFirstRun(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "it"} {
		t.Run(lang, func(t *testing.T) {
			t.Parallel()
			office, smtp := openPostOffice(t)
			dir := t.TempDir()
			lines := program(t, "serve", "--listen=127.0.0.1:0", "--data="+dir, "--key="+filepath.Join(dir, "entente.key"),
				"--smtp="+smtp, "--smtp-from=check@example.org", "--smtp-security=none")
			setup := saidBy(t, lines, "set up: ")
			base, _, _ := strings.Cut(setup, "/setup")
			if info, err := os.Stat(filepath.Join(dir, "entente.key")); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("the key's file: %v %v", info, err)
			}
			day := firstDay{b: newBrowser(t), base: base, lang: lang, p: i18n.For(lang)}
			day.setUp(setup)
			day.colleague(newBrowser(t))
			day.adult(office)
			day.kiosk()
			day.young(newBrowser(t))
			day.bring(dir)
		})
	}
}

// firstDay is a therapist in a browser.
type firstDay struct {
	b          browser
	base, lang string
	p          *i18n.Printer
}

func (d firstDay) speak(b browser) {
	if eval[string](b, "document.documentElement.lang") != d.lang {
		b.click("form.lang button")
		b.until("document.documentElement.lang === '" + d.lang + "'")
	}
}

func (d firstDay) setUp(address string) {
	b := d.b
	b.open(d.base)
	b.until("location.pathname === '/setup'")
	d.speak(b)
	b.open(address)
	b.looks("setup", d.lang)
	b.put("code", "wrong", "practice", "Studio Lanterna", "language", d.lang, "name", "Elena Neri", "email", "neri@example.org", "password", "a lantern on the stairs")
	b.click("button.main")
	b.until("document.querySelector('.errors')")
	if eval[string](b, "document.getElementById('practice').value") != "Studio Lanterna" {
		b.t.Error("a wrong code loses what was typed")
	}
	b.open(address)
	b.put("practice", "Studio Lanterna", "language", d.lang, "name", "Elena Neri", "email", "neri@example.org", "password", "a lantern on the stairs")
	b.click("button.main")
	b.until("location.pathname === '/today'")
	b.looks("today-first", d.lang)
	b.open(address)
	b.until("location.pathname !== '/setup'") // a second set-up is not to be had
}

func (d firstDay) colleague(other browser) {
	d.b.open(d.base + "/colleagues")
	d.b.put("name", "Paolo Costa", "email", "costa@example.org", "language", d.lang, "roles", "therapist")
	d.b.click("form.sheet button.main")
	d.b.until("document.getElementById('link')")
	d.b.looks("colleagues-link", d.lang)
	other.open(eval[string](d.b, "document.getElementById('link').value"))
	other.until("document.getElementById('password')")
	d.speak(other)
	other.looks("join", d.lang)
	other.put("password", "stairs under a lantern")
	other.click("main button.main")
	other.until("location.pathname === '/today'")
	other.click("form[action='/signout'] button")
	other.until("location.pathname === '/signin'")
	other.looks("signin", d.lang)
	other.put("email", "costa@example.org", "password", "not this one at all")
	other.click("main button.main")
	other.until("document.querySelector('.errors')")
	other.looks("signin-wrong", d.lang)
	other.put("email", "costa@example.org", "password", "stairs under a lantern")
	other.click("main button.main")
	other.until("location.pathname === '/today'")
	d.second(other)
}

// second adds a second factor with what an authenticator app would read from the
// screen, and comes in again with a code for a lost device.
func (d firstDay) second(other browser) {
	other.open(d.base + "/account")
	other.looks("account", d.lang)
	other.click("form[action='/account/second/new'] button")
	address, err := url.Parse(other.scan())
	if err != nil {
		other.t.Fatal(err)
	}
	other.looks("account-second", d.lang)
	code, err := totp.GenerateCode(address.Query().Get("secret"), time.Now())
	if err != nil {
		other.t.Fatal(err)
	}
	other.put("code", code, "old", "stairs under a lantern")
	other.click("form[action='/account/second'] button.main")
	other.until("document.querySelectorAll('.codes li').length === 10")
	other.looks("account-codes", d.lang)
	lost := eval[string](other, "document.querySelector('.codes code').textContent")
	other.click("form[action='/signout'] button")
	other.until("location.pathname === '/signin' && document.getElementById('password')") // the address is there before the fields
	other.put("email", "costa@example.org", "password", "stairs under a lantern")
	other.click("main button.main")
	other.until("location.pathname === '/signin/code'")
	other.looks("signin-code", d.lang)
	other.put("code", code)
	other.click("main button.main")
	other.until("document.querySelector('.errors')") // it was used already
	other.put("code", lost)
	other.click("main button.main")
	other.until("location.pathname === '/today'")
}

// add adds a client and starts a session.
func (d firstDay) add(label, age, email string) {
	d.b.open(d.base + "/clients/new")
	d.b.put("label", label, "age_band", age, "language", d.lang, "email", email)
	d.b.click("form.sheet button.main")
	d.b.until("/^.clients.[0-9a-f-]{30}/.test(location.pathname)")
	d.b.click(".acts button.main")
	d.b.until("location.pathname.startsWith('/sessions/')")
}

// adult is asked by mail, and again by the code on the screen.
func (d firstDay) adult(office *postOffice) {
	d.add("Anna", "adult", "anna@example.org")
	d.b.click("form[action$='/mail'] button")
	d.b.until("document.querySelector('.done')")
	d.b.looks("session-mailed", d.lang)
	letter, told := <-office.got, 0
	for ; letter.to == "costa@example.org"; letter = <-office.got { // of their second factor
		told++
	}
	if told == 0 {
		d.b.t.Error("the colleague is not told that a second factor was added")
	}
	if letter.to != "anna@example.org" || !strings.Contains(letter.text, d.base+"/f#") {
		d.b.t.Errorf("to %s:\n%s", letter.to, letter.text)
	}
	d.b.click("form[action$='/invite'] button")
	if code, link := d.b.scan(), eval[string](d.b, "document.getElementById('link').value"); code != link || !strings.HasPrefix(code, d.base+"/f#") {
		d.b.t.Errorf("the code says %q, the link %q", code, link)
	}
}

// kiosk hands this device to the client and takes it back.
func (d firstDay) kiosk() {
	b := d.b
	b.put("pin", "4711")
	b.do(chromedp.SendKeys("#pin", kb.Enter))
	b.until("location.pathname === '/form' && document.querySelector('fieldset.item')")
	d.answer(b, "form-kiosk")
	b.until("document.querySelector('.receipt')")
	b.looks("receipt-kiosk", d.lang)
	b.click("a[href='/kiosk']")
	b.until("document.getElementById('pin')")
	b.looks("kiosk", d.lang)
	for range 5 { // what a curious client tries
		eval[any](b, "history.back()")
		b.until("document.readyState === 'complete'")
		if n := eval[int](b, "document.querySelectorAll('input:checked').length"); n != 0 {
			b.t.Errorf("going back shows %d answers", n)
		}
	}
	b.open(d.base + "/clients")
	b.until("location.pathname === '/kiosk'")
	b.put("pin", "0000")
	b.click("main button.main")
	b.until("document.querySelector('.errors')")
	b.put("pin", "4711")
	b.click("main button.main")
	b.until("location.pathname === '/today'")
	b.until("document.body.innerText.includes('Anna')")
	b.open(b.client(d.base, "Anna"))
	b.looks("client-first", d.lang)
}

// answer fills in every form of a visit; the first is photographed.
func (d firstDay) answer(b browser, name string) {
	b.t.Helper()
	for first := true; eval[bool](b, "!!document.querySelector('fieldset.item')"); first = false {
		if first {
			b.looks(name, d.lang)
		}
		b.fill(.8)
		id := eval[string](b, "document.querySelector('[name=submission]').value")
		b.click("button.send")
		b.until("document.querySelector('[name=submission]')?.value !== '" + id + "' && document.querySelector('fieldset.item, .receipt')")
	}
}

// young are asked with their own forms, by the code.
func (d firstDay) young(phone browser) {
	for label, age := range map[string]string{"Leo": "child", "Sofia": "adolescent"} {
		d.add(label, age, "")
		d.b.click("form[action$='/invite'] button")
		phone.open(d.b.scan())
		phone.until("location.pathname === '/form'")
		d.answer(phone, "form-"+age)
		phone.until("document.querySelector('.receipt')")
	}
	phone.looks("receipt-young", d.lang)
	phone.open(d.base + "/f#0000000000000000000000000")
	phone.until("document.querySelector('h1')")
	phone.until("location.hash === ''")
	phone.looks("link-ended", d.lang)
}

// bring imports a file through the page: refused first, then brought.
func (d firstDay) bring(dir string) {
	b := d.b
	for _, step := range []struct{ name, csv, until string }{
		{"import-kind.xlsx", "c;t;b\nX;2025-01-01;9\n", "#errors a[href=\"#file\"]"},
		{"import-problems", "c;t;b\nX;2025-01-01;99\nY;2025-13-01;4\n", ".problems"},
		{"import-preview", "c;t;b\nPrima;2025-01-01;9\nPrima;2025-01-08;8,0\nSeconda;2025-01-09;3\n", ".sample"},
	} {
		file := filepath.Join(dir, "earlier"+cmp.Or(filepath.Ext(step.name), ".csv"))
		if err := os.WriteFile(file, []byte(step.csv), 0o600); err != nil {
			b.t.Fatal(err)
		}
		b.open(d.base + "/import")
		b.do(chromedp.SetUploadFiles("#file", []string{file}))
		b.put("map", "client: c\ntime: {column: t, format: iso}\ninstrument: session-client-adult\nitems: {bond1: b}\n")
		b.click("form.sheet button.main")
		b.until("document.querySelector(`" + step.until + "`)")
		b.looks(strings.TrimSuffix(step.name, ".xlsx"), d.lang)
	}
	b.until("!document.body.innerText.includes('Line 3')") // each problem in the reader's own language
	b.click("form[action$='/start'] button")
	b.until("document.querySelector('a.button.main[href=\"/clients\"]')")
	b.looks("import-done", d.lang)
	b.open(d.base + "/clients")
	if text := eval[string](b, "document.body.innerText"); !strings.Contains(text, "Prima") || !strings.Contains(text, "Seconda") {
		b.t.Errorf("the list after the import: %s", text)
	}
}
