import type { ContactRefusal } from '../signin/own-contact.ts';

/** What /auth says in one language. `{{…}}` is filled in. */
export interface AuthWords {
  command: string;
  /** Its line in /help, where people sign in by phone number. */
  help: string;
  orHere: string;
  ask: string;
  askNumber: string;
  share: string;
  sent: string;
  /** No number, or one that no code can reach. */
  unusable: string;
  /** The tenant takes no phone numbers. */
  notTaken: string;
  shareInstead: string;
  cancelled: string;
  moved: string;
  contact: Record<ContactRefusal | 'switched_off' | 'other_number', string>;
  undone: string;
  notUndone: string;
}

const english: AuthWords = {
  command: 'Sign in with your phone number',
  help: '/auth – sign in with your phone number',
  orHere: 'To sign in here with your phone number: /auth',
  ask: 'Press the button to share your own phone number, or type another one with its country code, such as +14155552671.',
  askNumber: 'Type your phone number with its country code, such as +14155552671.',
  share: 'Share my phone number',
  sent: 'A code is on its way to {{destination}}. Type it here. Another number? /cancel',
  unusable: 'This number cannot be used. Type one with its country code, such as +14155552671.',
  notTaken: 'Nobody signs in by phone number here.',
  shareInstead: 'You can share your own number instead: press the button.',
  cancelled: 'Cancelled: I wait for nothing now. /help shows what I can do.',
  moved: 'Your account was in another chat until now. It has been told, and can undo this for 72 hours.',
  contact: {
    not_private: 'Share your contact in our private chat, from your own account.',
    forwarded: 'A forwarded contact proves nothing. Press the button of /auth yourself.',
    not_own: 'This is not your own contact. Press the button of /auth: Telegram then sends your own number.',
    several_numbers:
      'This contact has several numbers. Press the button of /auth: Telegram then sends only yours.',
    switched_off: 'Contacts are not taken here. Type your number, and a code will come by SMS.',
    other_number:
      'You typed another number before. Type the code that was sent there, or send /cancel and share your contact again.',
  },
  undone:
    'Done: this chat is the one of your account again, and whatever was signed in from the other, or since, is ended. Sign in with /auth.',
  notUndone: 'This was undone already, or can no longer be undone.',
};

const russian: AuthWords = {
  command: 'Войти по номеру телефона',
  help: '/auth – войти по номеру телефона',
  orHere: 'Войти здесь по номеру телефона: /auth',
  ask: 'Нажмите кнопку, чтобы отправить свой номер, или напишите другой с кодом страны, например +79161234567.',
  askNumber: 'Напишите номер телефона с кодом страны, например +79161234567.',
  share: 'Отправить мой номер',
  sent: 'Код отправлен на {{destination}}. Напишите его здесь. Другой номер? /cancel',
  unusable: 'Этот номер не подходит. Напишите номер с кодом страны, например +79161234567.',
  notTaken: 'По номеру телефона здесь не входят.',
  shareInstead: 'Вместо этого можно отправить свой номер: нажмите кнопку.',
  cancelled: 'Отменено: теперь я ничего не жду. /help покажет, что я умею.',
  moved:
    'До сих пор ваш аккаунт был в другом чате. Туда отправлено сообщение: перенос можно отменить в течение 72 часов.',
  contact: {
    not_private: 'Отправьте контакт в нашем личном чате, со своего аккаунта.',
    forwarded: 'Пересланный контакт ничего не доказывает. Нажмите кнопку команды /auth сами.',
    not_own: 'Это не ваш контакт. Нажмите кнопку команды /auth: Telegram отправит ваш номер.',
    several_numbers:
      'В контакте несколько номеров. Нажмите кнопку команды /auth: Telegram отправит только ваш.',
    switched_off: 'Контакты здесь не принимаются. Напишите номер, и код придёт по SMS.',
    other_number:
      'Раньше вы написали другой номер. Введите код, отправленный на него, или отправьте /cancel и затем контакт ещё раз.',
  },
  undone:
    'Готово: аккаунт снова в этом чате, сеансы другого чата и все начатые с тех пор завершены. Войдите командой /auth.',
  notUndone: 'Это уже отменено или больше не может быть отменено.',
};

const uzbek: AuthWords = {
  command: 'Telefon raqami bilan kirish',
  help: '/auth – telefon raqami bilan kirish',
  orHere: 'Shu yerda telefon raqami bilan kirish: /auth',
  ask: 'Oʻz raqamingizni yuborish uchun tugmani bosing yoki boshqasini mamlakat kodi bilan yozing, masalan +998901234567.',
  askNumber: 'Telefon raqamingizni mamlakat kodi bilan yozing, masalan +998901234567.',
  share: 'Raqamimni yuborish',
  sent: 'Kod {{destination}} raqamiga yuborildi. Uni shu yerga yozing. Boshqa raqammi? /cancel',
  unusable: 'Bu raqam yaramaydi. Raqamni mamlakat kodi bilan yozing, masalan +998901234567.',
  notTaken: 'Bu yerga telefon raqami bilan kirilmaydi.',
  shareInstead: 'Buning oʻrniga oʻz raqamingizni yuborishingiz mumkin: tugmani bosing.',
  cancelled: 'Bekor qilindi: endi hech narsa kutmayapman. /help nima qila olishimni koʻrsatadi.',
  moved:
    'Hisobingiz hozirgacha boshqa chatda edi. U yerga xabar berildi, 72 soat ichida bekor qilish mumkin.',
  contact: {
    not_private: 'Kontaktni shaxsiy chatimizda, oʻz hisobingizdan yuboring.',
    forwarded: 'Qayta yuborilgan kontakt hech narsani isbotlamaydi. /auth tugmasini oʻzingiz bosing.',
    not_own: 'Bu sizning kontaktingiz emas. /auth tugmasini bosing: Telegram oʻz raqamingizni yuboradi.',
    several_numbers:
      'Kontaktda bir nechta raqam bor. /auth tugmasini bosing: Telegram faqat raqamingizni yuboradi.',
    switched_off: 'Bu yerda kontakt qabul qilinmaydi. Raqamni yozing, kod SMS orqali keladi.',
    other_number:
      'Avval boshqa raqam yozgansiz. Unga yuborilgan kodni yozing yoki /cancel yuborib, kontaktni qayta yuboring.',
  },
  undone:
    'Tayyor: hisobingiz yana shu chatda, boshqa chatdagi va undan keyingi seanslar tugadi. /auth bilan kiring.',
  notUndone: 'Bu allaqachon bekor qilingan yoki endi bekor qilib boʻlmaydi.',
};

const persian: AuthWords = {
  command: 'ورود با شماره تلفن',
  help: '‎/auth – ورود با شماره تلفن',
  orHere: 'برای ورود با شماره تلفن در همین‌جا: ‎/auth',
  ask: 'برای فرستادن شماره خودتان دکمه را بزنید، یا شماره دیگری را با کد کشور بنویسید، مانند ‎+989123456789.',
  askNumber: 'شماره تلفن خود را با کد کشور بنویسید، مانند ‎+989123456789.',
  share: 'فرستادن شماره من',
  sent: 'کد به \u2066{{destination}}\u2069 فرستاده شد. آن را همین‌جا بنویسید. شماره دیگری؟ ‎/cancel',
  unusable: 'این شماره به کار نمی‌آید. شماره را با کد کشور بنویسید، مانند ‎+989123456789.',
  notTaken: 'اینجا با شماره تلفن وارد نمی‌شوند.',
  shareInstead: 'می‌توانید به جای آن شماره خودتان را بفرستید: دکمه را بزنید.',
  cancelled: 'لغو شد: دیگر منتظر چیزی نیستم. ‎/help نشان می‌دهد چه کاری از من برمی‌آید.',
  moved: 'حساب شما تا کنون در گفت‌وگوی دیگری بود. به آنجا خبر داده شد و تا ۷۲ ساعت می‌توان آن را لغو کرد.',
  contact: {
    not_private: 'مخاطب را در گفت‌وگوی خصوصی ما و از حساب خودتان بفرستید.',
    forwarded: 'مخاطبِ بازفرستاده چیزی را ثابت نمی‌کند. خودتان دکمه ‎/auth را بزنید.',
    not_own: 'این مخاطب خود شما نیست. دکمه ‎/auth را بزنید تا تلگرام شماره خودتان را بفرستد.',
    several_numbers: 'این مخاطب چند شماره دارد. دکمه ‎/auth را بزنید تا تلگرام فقط شماره شما را بفرستد.',
    switched_off: 'اینجا مخاطب پذیرفته نمی‌شود. شماره را بنویسید تا کد با پیامک بیاید.',
    other_number:
      'پیش‌تر شماره دیگری نوشتید. کدی را که به آن فرستاده شد بنویسید، یا ‎/cancel را بفرستید و سپس مخاطب خود را دوباره.',
  },
  undone:
    'انجام شد: حساب شما دوباره در همین گفت‌وگوست و نشست‌های آن یکی و همه نشست‌های پس از آن پایان یافت. با ‎/auth وارد شوید.',
  notUndone: 'این پیش‌تر لغو شده یا دیگر لغوشدنی نیست.',
};

const amharic: AuthWords = {
  command: 'በስልክ ቁጥር ይግቡ',
  help: '/auth – በስልክ ቁጥር ይግቡ',
  orHere: 'እዚህ በስልክ ቁጥር ለመግባት፦ /auth',
  ask: 'የራስዎን ቁጥር ለመላክ አዝራሩን ይጫኑ፣ ወይም ሌላ ቁጥር ከአገር ኮድ ጋር ይጻፉ፣ ለምሳሌ +251911234567።',
  askNumber: 'የስልክ ቁጥርዎን ከአገር ኮድ ጋር ይጻፉ፣ ለምሳሌ +251911234567።',
  share: 'ቁጥሬን ላክ',
  sent: 'ኮድ ወደ {{destination}} ተልኳል። እዚህ ይጻፉት። ሌላ ቁጥር? /cancel',
  unusable: 'ይህ ቁጥር አይሠራም። ቁጥር ከአገር ኮድ ጋር ይጻፉ፣ ለምሳሌ +251911234567።',
  notTaken: 'እዚህ በስልክ ቁጥር አይገባም።',
  shareInstead: 'በምትኩ የራስዎን ቁጥር መላክ ይችላሉ፤ አዝራሩን ይጫኑ።',
  cancelled: 'ተሰርዟል፤ አሁን ምንም አልጠብቅም። /help ምን ማድረግ እንደምችል ያሳያል።',
  moved: 'መለያዎ እስካሁን በሌላ ውይይት ነበር። ለዚያ ተነግሯል፣ በ72 ሰዓት ውስጥ መሰረዝ ይቻላል።',
  contact: {
    not_private: 'እውቂያዎን በግል ውይይታችን፣ ከራስዎ መለያ ይላኩ።',
    forwarded: 'የተላለፈ እውቂያ ምንም አያረጋግጥም። የ/auth አዝራርን ራስዎ ይጫኑ።',
    not_own: 'ይህ የራስዎ እውቂያ አይደለም። የ/auth አዝራርን ይጫኑ፤ ቴሌግራም የራስዎን ቁጥር ይልካል።',
    several_numbers: 'እውቂያው ብዙ ቁጥሮች አሉት። የ/auth አዝራርን ይጫኑ፤ ቴሌግራም የእርስዎን ብቻ ይልካል።',
    switched_off: 'እዚህ እውቂያ አይወሰድም። ቁጥርዎን ይጻፉ፣ ኮድ በSMS ይመጣል።',
    other_number: 'ቀደም ሲል ሌላ ቁጥር ጽፈዋል። ወደዚያ የተላከውን ኮድ ይጻፉ፣ ወይም /cancel ብለው እውቂያዎን እንደገና ይላኩ።',
  },
  undone: 'ተከናውኗል፦ መለያዎ እንደገና በዚህ ውይይት ነው፣ የሌላውና ከዚያ ወዲህ የተጀመሩ ክፍለ ጊዜዎች አብቅተዋል። በ/auth ይግቡ።',
  notUndone: 'ይህ ቀድሞ ተሰርዟል፣ ወይም ከእንግዲህ ሊሰረዝ አይችልም።',
};

const languages: Readonly<Record<string, AuthWords>> = {
  en: english,
  ru: russian,
  uz: uzbek,
  fa: persian,
  am: amharic,
};

/** The words of /auth in a language; English where there are none. */
export function authWordsOf(locale: string): AuthWords {
  return languages[locale] ?? english;
}
