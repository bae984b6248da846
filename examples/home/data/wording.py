"""How a request is said: politeness, fillers, typing errors, second thoughts. All of it works on a template, before its
slots (`<room>`) are filled, so that no value which the call copies is ever touched.
"""
import re
from pathlib import Path

POLITE_STARTS = [
    "please ", "can you ", "could you ", "could you please ", "can you please ", "would you ", "can u ",
    "i'd like you to ", "kindly ", "would you mind if i asked you to ", "i need you to ", "i want you to ",
    "would you be so kind as to ", "be so good as to ", "i'd be grateful if you would ", "do me a favour and ",
    "do me a favor, ", "might i ask you to ", "may i ask you to ", "be a dear and ", "pls ", "plz ",
    "if you would, ", "if it's no trouble, ", "go ahead and ", "can you just ", "will you ", "you may "]
POLITE_ENDS = [
    " please", ", please", " thanks", ", thank you", ", would you", " if you can", " if you don't mind", " pls",
    " plz", " will you", ", dear", ", cheers", " ta", " thank you", " would you please", ", there's a dear",
    " for me please", ", if you please", " when you can", " right now please", " will ya", " would ya", ", love",
    ", mate", ", thanks love", " could you", ", can you", " ok", ", alright", " thank you very much", " if that's ok",
    " for us", ", much obliged", " now please", ", yeah", " pretty please", ", many thanks", " won't you"]
FILLERS = [
    "hey, ", "hey ", "um ", "uh ", "ok ", "okay, ", "so ", "well ", "er, ", "hi, ", "ok so ", "um, so ", "hmm, ",
    "listen, ", "oh and ", "right, ", "quickly, ", "alright, ", "erm ", "ah ", "oh ", "uh so like ", "ok um ",
    "hey there ", "yeah so ", "right so ", "now then, ", "let's see, ", "ok now ", "hey hi um "]
INSIDE = [
    " uh", " um,", " erm", ", uh,", " um", " like", " you know", ", er,", " uh um", " let me think,"]
# A word before a request that says nothing about it; it does not count as polite or spoken.
LEADS = [
    "my hands are full, ", "i'm in a hurry, ", "i'm busy, ", "we have visitors, ", "i nearly forgot, ",
    "one more thing, ", "we're about to leave, ", "i'm back, ", "sorry to bother you, ", "quick one, ",
    "before i forget, ", "i'm tired, ", "mum says ", "excuse me, ", "right then everyone, ", "it's getting late, ",
    "we're home, ", "while i'm at it, ", "granny is asking, ", "i can't do it myself, ", "you can help me, ",
    "i've just come in, ", "good morning, ", "good evening, ", "hello again, ", "this is urgent, ",
    "if you have a moment, ", "no rush but ", "last thing, "]
TAILS = [
    ", i'm in a hurry", ", my hands are full", ", i'm busy", " before i forget", ", that's all", ", quick",
    ", it's important", ", would be great", ", i can't do it", " when you get a chance", ", i beg you",
    " straight away", ", that would help", " while i cook", " while i iron", ", i'm cooking", ", the kids are tired",
    ", we're having guests", ", i can't reach it", " before we go", ", it's late", ", granny asked", ", it's driving me mad"]
REGRETS = [
    ", no wait, ", ", no, ", ", sorry, ", ", i mean ", ", no sorry ", " no wait ", " i mean ", " no sorry i mean ",
    ", make that ", ", rather ", ", wait no, ", " uh no ", " sorry ", ", oh no, ", ", actually no, ",
    ", scratch that, ", " no hang on ", ", oops, i meant ", " er no ", " or rather ", ", nope, "]
# A request that begins so can follow "please" or "can you".
IMPERATIVES = set("""play put start spin turn switch set make create give pause hold freeze halt interrupt stop resume
continue unpause cancel delete remove drop end kill cut lower raise reduce increase bring take dim brighten fade lock
close shut secure bolt unlock open add write note schedule plan enter save block reserve read show check tell list
convert change text message send let inform notify drop shoot remember keep store light illuminate lighten activate
run shut fire heat warm cool wake remind ping alert count mute crank look get disable clear scratch erase cross strike
tune queue call scrap quit finish silence""".split())
SHORTENED = r"\b(what|where|how|who|that|it|i|don|can|won|let|isn|doesn)'(s|t|m|d|ve)\b(?! <)"
QUESTION = r"(what|who|how|when|where|why|is|are|will|did|do|can|could|would|any)\b"
# Sources of slots that a speaker may take back.
CORRECTED = set("""room plain_room device plain_device door time duration adjective_duration percent degrees location title
artist genre item item_plain list_item list wd when date plain_date day span bare_date person name girl boy station
event label food_label alarm_label number""".split())
# Words as they sound, or as they are thumbed.
SOUNDS = {word: wrong.split() for word, wrong in (line.split(": ") for line in """weather: wether wheather weahter
music: musik muzik musci
please: pleas pleez plese
the: teh da te
what's: wats wots whatz
what: wat wot waht
you: u yu
are: r
with: wiv wiht
message: mesage messege msg
messages: mesages messeges msgs
temperature: temprature temperture temperatur
turn: tern trun tunr
off: of offf
light: lite ligth lihgt
lights: lites ligths lihgts
volume: volum volumn vollume
quieter: quiter quietter
louder: lowder loudr
remember: rember remeber rememba
remind: remid remaind reminde
calendar: calender calandar calander
appointment: apointment appoinment
schedule: shedule schedual skedule
shopping: shoping shopin
timer: tymer timmer
alarm: alram allarm alarum
radio: raido radeo raydio
station: stayshun staton
switch: swich swtich
convert: convurt konvert
some: sum
something: somthing sumthing
would: wuld wud
could: cud cuold
want: wnat wont
door: dor doar
lock: lok locck
close: cloze clos
heating: heeting heatin
degrees: degres degreez
percent: persent precent
brighter: briter
bright: brite
which: wich
when: wen whn
where: wher wear
outside: outsde owtside
raining: rainning rainin
rain: rane
forecast: forcast forecats
umbrella: umbrela umberella
read: reed raed
tell: tel
play: pley paly plya
pause: pauze paus pouse
stop: stpo stopp
cancel: cancle cansel cancell
delete: delet deleet
dim: dimm
start: strat sart
open: opne opn
unlock: unlok unlcok
wake: wak waik
listen: lisen listn
favourite: favrite favourit
are: r
know: kno
inside: insde insied
really: realy
enough: enuff enogh
because: becos cuz
music: musick
loud: lowd
warm: worm warmm
cold: cauld colld
going: goin gonna
anything: anythin anyting
new: noo
song: sng songg
night: nite
tonight's: tonites
much: mutch
does: dose dus
has: haz
have: hav
this: dis thsi
that: dat taht""".splitlines())}
NEIGHBOURS = {"a": "s", "b": "vn", "c": "xv", "d": "sf", "e": "wr", "f": "dg", "g": "fh", "h": "gj", "i": "uo",
              "j": "hk", "k": "jl", "l": "k", "m": "n", "n": "bm", "o": "ip", "p": "o", "q": "w", "r": "et", "s": "ad", "t": "ry",
              "u": "yi", "v": "cb", "w": "qe", "x": "zc", "y": "tu", "z": "x"}
# What is typed in the grammar: a typing error that makes one of these is none.
GRAMMAR = " ".join(path.read_text() for path in (Path(__file__).parent / "grammar").glob("*.txt"))
KNOWN_WORDS = set(re.findall(r"[a-z]+", GRAMMAR.lower()))


def articles(text):
    text = re.sub(r"\ban (?=[bcdfgj-np-tv-z])", "a ", text)
    return re.sub(r"\ba (?=[aeio](?!ne)|8|11\b|18\b)", "an ", text)


def mistype(word, rng):
    """A letter lost, two swapped, one doubled, or the key beside it."""
    at = rng.randrange(rng.random() < 0.92, len(word) - 1)  # seldom the first letter
    key = rng.choice(NEIGHBOURS.get(word[at], word[at]))
    return rng.choice([word[:at] + word[at + 1:] if at else word[:1] + word[2:],
                       word[:at] + word[at + 1] + word[at] + word[at + 2:],
                       word[:at] + word[at + 1] + word[at] + word[at + 2:],
                       word[:at] + word[at] + word[at:],
                       word[:at] + key + word[at + 1:] if at else word[:1] + key + word[2:]])


def mistype_word(text, rng):
    """One typing error in one word; none that makes another word of the grammar."""
    words = text.split(" ")
    places = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha()]
    if places:
        i = rng.choice(places)
        changed = mistype(words[i], rng)
        words[i] = words[i] if changed in KNOWN_WORDS else changed
    return " ".join(words)


def copies_frame(text, written):
    """Whether the call holds words of the template itself: `can <a> swim => question: can <a> swim`."""
    copied = re.sub(r"<[^<>]*>|[a-z]+\.[a-z_]+|[a-z_]+:", " ", written)
    return bool(set(re.findall("[a-z]+", copied)) & set(re.findall("[a-z]+", re.sub(r"<[^<>]*>", " ", text))))


def misspell(text, rng, kept):
    """Errors in words of the template, never in a value nor in a word of `kept`: a slip of the fingers, a word written
    as it sounds, two words run together."""
    words = text.split(" ")
    kept = re.findall("[a-z]+", kept)
    free = [i for i, word in enumerate(words) if re.fullmatch("[a-z']+", word) and word not in kept]
    typed = [i for i in free if len(words[i]) > 3 and words[i].isalpha()]
    sounded = [i for i in free if words[i] in SOUNDS]
    for _ in range(1 + (rng.random() < 0.3)):
        kind = rng.random()
        if sounded and kind < 0.4:
            i = rng.choice(sounded)
            words[i] = rng.choice(SOUNDS.get(words[i], [words[i]]))
        elif typed and kind < 0.9:
            i = rng.choice(typed)
            words[i] = mistype_word(words[i], rng)
    together = [i for i in free if i + 1 in free]
    if together and rng.random() < 0.08 and not copies_frame(text, " ".join(kept)):
        i = rng.choice(together)
        words[i:i + 2] = [words[i] + words[i + 1]]
    return " ".join(words), " ".join(words) != text


def second_thought(text, rng):
    """`<room>` becomes `<wrong:room>, no wait, the <room>`: what is said last counts."""
    places = [match for match in re.finditer(r"(the |^| )<(\w+)(?::(\w+))?>(?=[ ,]|$)", text)
              if (match[3] or match[2]) in CORRECTED]
    if not places or "<wrong" in text:
        return text, False
    place = rng.choice(places)
    article = "the " if place[1] == "the " and rng.random() < 0.7 else ""
    wrong = f"{place[1]}<wrong:{place[3] or place[2]}>{rng.choice(REGRETS)}{article}"
    return text[:place.start()] + wrong + place[0][len(place[1]):] + text[place.end():], True


def hesitate(text, rng):
    """A filler somewhere in front of the first slot, or a word said twice."""
    end = text.index("<") if "<" in text else len(text)
    gaps = [match.start() for match in re.finditer(r"(?<=\w) ", text[:end])]
    if not gaps:
        return text, False
    at = gaps[-1] if rng.random() < 0.5 else rng.choice(gaps)
    word = re.search(r"\w+$", text[:at])[0]
    pause = " " + word if rng.random() < 0.15 and at == gaps[0] else rng.choice(INSIDE)
    return text[:at] + pause + text[at:], True


def loosen(text, rng, kept):
    """What nobody would call an error: no commas, no apostrophe, no article."""
    if rng.random() < 0.15:
        text = re.sub(r"[,:;?](?= |$)", "", text)
    if rng.random() < 0.20 and not copies_frame(text, kept):
        text = re.sub(SHORTENED, r"\1\2", text)
    if rng.random() < 0.05 and not copies_frame(text, kept):
        text = re.sub(r"(?<= )(the|a|an) ", "", text, count=1)
    return text


def frame(text, rng, tags, free_end, chance):
    """What is said around a request: politeness, a reason, a filler."""
    first = text.split(" ")[0]
    asks = first in IMPERATIVES or re.match(QUESTION, text)
    if rng.random() < chance.get("polite", 0.20) and first in IMPERATIVES:
        text = rng.choice(POLITE_STARTS) + text
        tags.append("polite")
    elif rng.random() < 0.12 and "please" not in text and first in IMPERATIVES and not free_end:
        text += rng.choice(POLITE_ENDS)
        tags.append("polite")
    if asks and rng.random() < chance.get("lead", 0.03):
        if free_end or rng.random() < 0.6:
            text = rng.choice(LEADS) + text
        else:
            text += rng.choice(TAILS)
    if rng.random() < 0.10:
        text = rng.choice(FILLERS) + text
        tags.append("spoken")
    return text


def decorate(text, rng, tags, kept, free_end, chance):
    """A template as somebody might say it; `chance` has the odds of a "typo", "regret", "pause", "lead", "polite"."""
    text = loosen(text, rng, kept)
    whole = copies_frame(text, kept)
    if not whole and rng.random() < chance.get("regret", 0.02):
        text, changed = second_thought(text, rng)
        tags += ["spoken"] if changed else []
    if rng.random() < chance.get("typo", 0.10):
        text, changed = misspell(text, rng, kept)
        tags += ["misspelt"] if changed else []
    if not whole and "'s" not in text and rng.random() < chance.get("pause", 0.05):
        text, changed = hesitate(text, rng)
        tags += ["spoken"] if changed else []
    text = frame(text, rng, tags, free_end, chance)
    tags[:] = dict.fromkeys(tags)
    return text


def dress(text, rng):
    """Some requests are typed with care: a capital, names in capitals, a full stop."""
    text = re.sub(r" ([,.?])", r"\1", re.sub(r"\s+", " ", text)).strip()
    text = articles(text)
    if rng.random() < 0.10:
        question = re.match(QUESTION, text)
        text = text[0].upper() + text[1:]
        if text[-1].isalnum():
            text += "?" if question else "."
    return text
