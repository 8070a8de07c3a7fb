/** What the bot says when a number alone does not open an account. `{{…}}` is filled in. */
export interface SecondProofWords {
  ask: string;
  /** `{{destination}}`: an address, masked. */
  send: string;
  begin: string;
  sent: string;
  /** Nothing that could be pressed here leads on. */
  stuck: string;
  over: string;
}

const english: SecondProofWords = {
  ask: 'The account of this number has not been used for a long time, and numbers are given to other people. Prove in one more way that it is yours, or begin a new account.',
  send: 'Send a code to {{destination}}',
  begin: 'It is not mine: begin a new account',
  sent: 'A code is on its way to {{destination}}. Type it here.',
  stuck:
    'The account of this number has not been used for a long time. Sign in on the site in another way, or ask whoever runs this service.',
  over: 'Too much time has passed, or this is done already. Not signed in? Prove your number again with /auth.',
};

const russian: SecondProofWords = {
  ask: 'Аккаунтом с этим номером давно не пользовались, а номера передают другим людям. Подтвердите ещё одним способом, что он ваш, или начните новый.',
  send: 'Отправить код на {{destination}}',
  begin: 'Он не мой: начать новый аккаунт',
  sent: 'Код отправлен на {{destination}}. Напишите его здесь.',
  stuck:
    'Аккаунтом с этим номером давно не пользовались. Войдите на сайте другим способом или обратитесь к тем, кто ведёт этот сервис.',
  over: 'Время вышло, или это уже сделано. Не вошли? Подтвердите номер ещё раз командой /auth.',
};

const uzbek: SecondProofWords = {
  ask: 'Bu raqamli hisobdan uzoq vaqt foydalanilmagan, raqamlar esa boshqalarga beriladi. Hisob sizniki ekanini yana bir yoʻl bilan tasdiqlang yoki yangi hisob oching.',
  send: '{{destination}} manziliga kod yuborish',
  begin: 'Meniki emas: yangi hisob ochish',
  sent: 'Kod {{destination}} manziliga yuborildi. Uni shu yerga yozing.',
  stuck:
    'Bu raqamli hisobdan uzoq vaqt foydalanilmagan. Saytda boshqa yoʻl bilan kiring yoki xizmat egalariga murojaat qiling.',
  over: 'Vaqti oʻtgan yoki allaqachon bajarilgan. Kirmadingizmi? Raqamingizni /auth bilan qayta tasdiqlang.',
};

const persian: SecondProofWords = {
  ask: 'مدت‌هاست از حساب این شماره استفاده نشده و شماره‌ها به دیگران داده می‌شوند. از یک راه دیگر نشان دهید که از آنِ شماست، یا حساب تازه‌ای بسازید.',
  send: 'فرستادن کد به \u2066{{destination}}\u2069',
  begin: 'از آنِ من نیست: حساب تازه',
  sent: 'کد به \u2066{{destination}}\u2069 فرستاده شد. آن را همین‌جا بنویسید.',
  stuck:
    'مدت‌هاست از حساب این شماره استفاده نشده است. در سایت از راه دیگری وارد شوید، یا از گردانندگان این سرویس بپرسید.',
  over: 'مهلتش گذشته یا پیش‌تر انجام شده است. وارد نشده‌اید؟ شماره را دوباره با ‎/auth تأیید کنید.',
};

const amharic: SecondProofWords = {
  ask: 'የዚህ ቁጥር መለያ ለረጅም ጊዜ ጥቅም ላይ አልዋለም፤ ቁጥሮች ለሌሎች ሰዎች ይሰጣሉ። የእርስዎ መሆኑን በአንድ ሌላ መንገድ ያረጋግጡ፣ ወይም አዲስ መለያ ይጀምሩ።',
  send: 'ኮድ ወደ {{destination}} ላክ',
  begin: 'የእኔ አይደለም፦ አዲስ መለያ ጀምር',
  sent: 'ኮድ ወደ {{destination}} ተልኳል። እዚህ ይጻፉት።',
  stuck: 'የዚህ ቁጥር መለያ ለረጅም ጊዜ ጥቅም ላይ አልዋለም። በጣቢያው ላይ በሌላ መንገድ ይግቡ፣ ወይም አገልግሎቱን የሚያስተዳድሩትን ይጠይቁ።',
  over: 'ጊዜው አልፏል፣ ወይም ቀድሞ ተፈጽሟል። አልገቡም? ቁጥርዎን በ/auth እንደገና ያረጋግጡ።',
};

const languages: Record<string, SecondProofWords> = {
  en: english,
  ru: russian,
  uz: uzbek,
  fa: persian,
  am: amharic,
};

/** The words of a language; English where there are none. */
export function secondProofWordsOf(locale: string): SecondProofWords {
  return languages[locale] ?? english;
}
