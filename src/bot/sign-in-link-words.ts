/** What the bot says about a link from a browser. */
export interface LinkWords {
  signInFacts: string;
  linkFacts: string;
  chooseNumber: string;
  wrongNumber: string;
  sure: string;
  sureToLink: string;
  confirm: string;
  deny: string;
  confirmed: string;
  denied: string;
}

const english: LinkWords = {
  signInFacts: 'Sign in at {{tenant}}?\n\nBrowser: {{device}}\nFrom: {{place}}\nAt: {{time}}',
  linkFacts:
    'Link your Telegram account at {{tenant}}?\n\nBrowser: {{device}}\nFrom: {{place}}\nAt: {{time}}',
  chooseNumber: 'Which number does that browser show? If you did not ask for this, deny it.',
  wrongNumber: 'That is not the number. Look again: which one does the browser show?',
  sure: 'Is this you, in front of that browser? Whoever sits there will be signed in as you.',
  sureToLink:
    'Is this you, in front of that browser? With your Telegram account you will then sign in to the account that is open there.',
  confirm: 'Confirm',
  deny: 'Deny, this is not me',
  confirmed: 'Confirmed. Go back to the browser: it goes on there.',
  denied: 'Denied. Nobody was signed in.',
};

const russian: LinkWords = {
  signInFacts: 'Войти в {{tenant}}?\n\nБраузер: {{device}}\nОткуда: {{place}}\nКогда: {{time}}',
  linkFacts:
    'Привязать ваш Telegram в {{tenant}}?\n\nБраузер: {{device}}\nОткуда: {{place}}\nКогда: {{time}}',
  chooseNumber: 'Какое число показывает этот браузер? Если вы об этом не просили, отклоните.',
  wrongNumber: 'Это не то число. Посмотрите ещё раз: какое показывает браузер?',
  sure: 'Это вы сидите перед этим браузером? Кто там сидит, войдёт от вашего имени.',
  sureToLink:
    'Это вы сидите перед этим браузером? Через ваш Telegram вы затем будете входить в аккаунт, который там открыт.',
  confirm: 'Подтвердить',
  deny: 'Отклонить, это не я',
  confirmed: 'Подтверждено. Вернитесь в браузер: продолжение там.',
  denied: 'Отклонено. Никто не вошёл.',
};

const uzbek: LinkWords = {
  signInFacts: '{{tenant}} ga kirasizmi?\n\nBrauzer: {{device}}\nQayerdan: {{place}}\nQachon: {{time}}',
  linkFacts:
    'Telegram hisobingiz {{tenant}} ga ulansinmi?\n\nBrauzer: {{device}}\nQayerdan: {{place}}\nQachon: {{time}}',
  chooseNumber: 'Brauzer qaysi raqamni koʻrsatyapti? Buni siz soʻramagan boʻlsangiz, rad eting.',
  wrongNumber: 'Bu raqam emas. Yana qarang: brauzer qaysi birini koʻrsatyapti?',
  sure: 'Shu brauzer oldidagi sizmisiz? U yerda kim boʻlsa, sizning nomingizdan kiradi.',
  sureToLink:
    'Shu brauzer oldidagi sizmisiz? Keyin Telegram hisobingiz bilan u yerda ochiq turgan hisobga kirasiz.',
  confirm: 'Tasdiqlash',
  deny: 'Rad etish, bu men emasman',
  confirmed: 'Tasdiqlandi. Brauzerga qayting: davomi oʻsha yerda.',
  denied: 'Rad etildi. Hech kim kirmadi.',
};

const persian: LinkWords = {
  signInFacts: 'وارد {{tenant}} می‌شوید؟\n\nمرورگر: {{device}}\nاز: {{place}}\nزمان: {{time}}',
  linkFacts: 'حساب تلگرام شما به {{tenant}} وصل شود؟\n\nمرورگر: {{device}}\nاز: {{place}}\nزمان: {{time}}',
  chooseNumber: 'آن مرورگر کدام عدد را نشان می‌دهد؟ اگر شما درخواست نکرده‌اید، رد کنید.',
  wrongNumber: 'این عدد نیست. دوباره نگاه کنید: مرورگر کدام را نشان می‌دهد؟',
  sure: 'این شما هستید که جلوی آن مرورگر نشسته‌اید؟ هر کس آنجا باشد به نام شما وارد می‌شود.',
  sureToLink:
    'این شما هستید که جلوی آن مرورگر نشسته‌اید؟ از آن پس با حساب تلگرامتان وارد حسابی می‌شوید که آنجا باز است.',
  confirm: 'تأیید',
  deny: 'رد، این من نیستم',
  confirmed: 'تأیید شد. به مرورگر برگردید؛ ادامه آنجاست.',
  denied: 'رد شد. هیچ‌کس وارد نشد.',
};

const amharic: LinkWords = {
  signInFacts: 'ወደ {{tenant}} ይግቡ?\n\nአሳሽ: {{device}}\nከ: {{place}}\nጊዜ: {{time}}',
  linkFacts: 'የቴሌግራም መለያዎ ከ{{tenant}} ጋር ይገናኝ?\n\nአሳሽ: {{device}}\nከ: {{place}}\nጊዜ: {{time}}',
  chooseNumber: 'አሳሹ የትኛውን ቁጥር ያሳያል? ይህን ካልጠየቁ ይከልክሉ።',
  wrongNumber: 'ይህ ቁጥር አይደለም። እንደገና ይመልከቱ፦ አሳሹ የትኛውን ያሳያል?',
  sure: 'በዚያ አሳሽ ፊት ያሉት እርስዎ ነዎት? እዚያ ያለ ሰው በእርስዎ ስም ይገባል።',
  sureToLink: 'በዚያ አሳሽ ፊት ያሉት እርስዎ ነዎት? ከዚያ በኋላ በቴሌግራም መለያዎ የሚገቡት እዚያ ወደተከፈተው መለያ ነው።',
  confirm: 'አረጋግጥ',
  deny: 'ከልክል፣ እኔ አይደለሁም',
  confirmed: 'ተረጋግጧል። ወደ አሳሹ ይመለሱ፤ እዚያ ይቀጥላል።',
  denied: 'ተከልክሏል። ማንም አልገባም።',
};

const languages: Readonly<Record<string, LinkWords>> = {
  en: english,
  ru: russian,
  uz: uzbek,
  fa: persian,
  am: amharic,
};

/** The words of a language; English where there are none. */
export function linkWordsOf(locale: string): LinkWords {
  return languages[locale] ?? english;
}
