"""Recognises passwords of a known family: a season, month, weekday or greeting, with a year, digits and punctuation."""

import re

WORDS = """
spring summer autumn fall winter frühling fruehling sommer herbst printemps été ete automne hiver primavera verano
estate otoño otono autunno invierno inverno verão verao outono lente zomer herfst january february march april may
june july august september october november december januar jänner februar märz maerz mai juni juli oktober dezember
janvier février fevrier mars avril juin juillet août aout septembre octobre novembre décembre decembre enero febrero
marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre gennaio febbraio aprile maggio giugno
luglio settembre ottobre dicembre janeiro fevereiro março marco maio junho julho setembro outubro novembro dezembro
januari februari maart mei augustus monday tuesday wednesday thursday friday saturday sunday montag dienstag mittwoch
donnerstag freitag samstag sonnabend sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes
miércoles miercoles jueves viernes sábado sabado domingo lunedì lunedi martedì martedi mercoledì mercoledi giovedì
giovedi venerdì venerdi sabato domenica segunda terça terca quarta quinta sexta maandag dinsdag woensdag donderdag
vrijdag zaterdag zondag password passwort kennwort passwd motdepasse contraseña contrasena clave senha parola
wachtwoord secret geheim welcome willkommen bienvenue bienvenido bienvenidos benvenuto bemvindo welkom hello hallo
bonjour hola ciao changeme letmein login administrator admin test company firma office qwerty qwertz azerty iloveyou
christmas weihnachten correcthorsebatterystaple maytheforcebewithyou thequickbrownfox loremipsum jan feb mar apr jun
jul aug sep sept oct okt nov dec dez
"""
MOST_WORDS, MOST_DIGITS, MOST_LETTERS_BESIDE = 3, 8, 3
HINT = "Seasons, months, weekdays and greetings with a year or a number are guessed first. Add other words."
_ANY_WORD = re.compile("|".join(sorted(WORDS.split(), key=len, reverse=True)))
_NO_LETTER = re.compile(r"[\W\d_]+")


def is_of_a_family(password: str) -> bool:
    """Return whether at most three such words are the password, but for a date's digits, punctuation and a few letters.

    Takes linear time: the expression has neither repetition nor nesting, and its words have at most 25 letters.
    """
    rest, words = _ANY_WORD.subn("", _NO_LETTER.sub("", password.lower()))
    digits = sum(character.isdigit() for character in password)
    return 0 < words <= MOST_WORDS and digits <= MOST_DIGITS and len(rest) <= MOST_LETTERS_BESIDE
