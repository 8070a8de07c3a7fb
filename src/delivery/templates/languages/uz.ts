import type { Words } from '../words.ts';

/** Latin script. SMS texts write o' and g' with the ASCII apostrophe, which GSM-7 has. */
export const uzbek: Words = {
  direction: 'ltr',
  greeting: 'Assalomu alaykum!',
  greetingByName: 'Assalomu alaykum, {{name}}!',
  minutes: { other: '{{count}} daqiqa' },
  codeLabel: 'Kodingiz',
  expiry: 'Kod {{minutes}} davomida va faqat bir marta ishlaydi.',
  codeAdvice:
    'Bu kodni hech kimga aytmang. {{tenant}} xodimlari uni telefonda ham, yozishmada ham hech qachon soʻramaydi.',
  facts: { device: 'Qurilma', place: 'Joy', time: 'Vaqt', address: 'Manzil' },
  undo: 'Bu men emas: bekor qilish',
  proveAgain: 'Raqamimni tasdiqlash',
  notMe: 'Bu men emasman',
  support: 'Savolingiz bormi? {{support}} manziliga yozing.',
  footer: 'Bu xabar hisobingiz xavfsizligi uchun {{tenant}} tomonidan yuborildi.',
  messages: {
    sign_in_code: {
      sms: '{{code}} - {{tenant}} kodi. Hech kimga aytmang.',
      subject: '{{code}} — {{tenant}} kodingiz',
      intro: '{{tenant}} hisobingizga kirish uchun shu kodni kiriting:',
      ifNotYou: 'Kodni siz soʻramagan boʻlsangiz, eʼtibor bermang: kodsiz hech kim kira olmaydi.',
    },
    verify_sign_up: {
      sms: "{{code}} - {{tenant}} uchun ro'yxatdan o'tish kodi. Hech kimga aytmang.",
      subject: '{{code}} — {{tenant}} hisobingizni tasdiqlang',
      intro:
        '{{tenant}} xizmatida roʻyxatdan oʻtganingiz uchun rahmat. Manzil sizniki ekanini tasdiqlash uchun shu kodni kiriting:',
      ifNotYou: 'Roʻyxatdan siz oʻtmagan boʻlsangiz, eʼtibor bermang: kodsiz hisob ochilmaydi.',
    },
    forgot_password: {
      sms: '{{code}} - {{tenant}} parolini tiklash kodi. Hech kimga aytmang.',
      subject: '{{code}} — {{tenant}} parolini tiklash kodi',
      intro: '{{tenant}} uchun yangi parol tanlash uchun shu kodni kiriting:',
      ifNotYou: 'Kodni siz soʻramagan boʻlsangiz, eʼtibor bermang: parolingiz oʻzgarmaydi.',
    },
    link_code: {
      sms: "{{code}} - {{tenant}} hisobiga bog'lash kodi. Hech kimga aytmang.",
      subject: '{{code}} — bu manzilni {{tenant}} hisobiga qoʻshing',
      intro: 'Bu manzilni {{tenant}} hisobingizga qoʻshish uchun shu kodni kiriting:',
      ifNotYou: 'Kodni siz soʻramagan boʻlsangiz, eʼtibor bermang: kodsiz manzil qoʻshilmaydi.',
    },
    step_up_code: {
      sms: '{{code}} - {{tenant}} tasdiqlash kodi. Hech kimga aytmang.',
      subject: '{{code}} — bu siz ekaningizni tasdiqlang',
      intro:
        '{{tenant}} hisobingizda muhim maʼlumotni oʻzgartiryapsiz. Bu siz ekaningizni tasdiqlash uchun shu kodni kiriting:',
      ifNotYou:
        'Kodni siz soʻramagan boʻlsangiz, kimdir sizning nomingizdan kirgan boʻlishi mumkin: boshqa seanslarni yakunlang va parolni almashtiring.',
    },
    password_changed: {
      sms: "{{tenant}} parolingiz o'zgartirildi. Siz emasmi? Darhol tiklang.",
      subject: '{{tenant}} parolingiz oʻzgartirildi',
      intro: '{{tenant}} hisobingiz paroli oʻzgartirildi, boshqa seanslar yakunlandi.',
      ifNotYou:
        'Bu siz boʻlmasangiz, darhol «Parolni unutdingizmi?» orqali yangi parol tanlang va bizga xabar bering.',
    },
    new_device: {
      sms: '{{tenant}} hisobingizga yangi qurilmadan kirildi. Siz emasmi? Parolni almashtiring.',
      subject: '{{tenant}} hisobingizga yangi kirish',
      intro: '{{tenant}} hisobingizga yangi qurilmadan kirildi.',
      ifNotYou: 'Bu siz boʻlmasangiz, qurilmalar roʻyxatida oʻsha seansni yakunlang va parolni almashtiring.',
    },
    address_changed: {
      sms: "{{tenant}} hisobingizning manzillari o'zgartirildi.",
      subject: '{{tenant}} hisobingizning manzili oʻzgartirildi',
      intro: '{{tenant}} hisobingizga kiriladigan manzillar oʻzgartirildi.',
      ifNotYou: 'Bu siz boʻlmasangiz, darhol kirib, manzillaringizni tekshiring va bizga xabar bering.',
    },
    chat_moved: {
      sms: "{{tenant}} hisobingiz boshqa Telegram chatiga o'tdi. Siz emasmi? Bekor qiling.",
      subject: '{{tenant}} hisobingiz endi boshqa Telegram chatida',
      intro: "{{tenant}} hisobingiz telefon raqami tasdiqlangan boshqa Telegram chatiga o'tkazildi.",
      ifNotYou: "Bu siz bo'lmasangiz, 72 soat ichida avvalgi chatingizdagi tugmani bosing.",
    },
    number_unproved: {
      sms: '{{tenant}} kodlari endi bu chatga kelmaydi: raqamingizni qayta tasdiqlang.',
      subject: '{{tenant}} uchun raqamingizni qayta tasdiqlang',
      intro:
        "Raqamingiz {{tenant}} bilan Telegram chatingizda ancha oldin tasdiqlangan, raqamlar esa boshqalarga beriladi. Qayta tasdiqlanguncha kodlar boshqa yo'l bilan keladi.",
      ifNotYou: "O'sha chatdagi tugmani bosing va o'z raqamingizni yuboring.",
    },
    account_locked: {
      sms: "{{tenant}}: xato urinishlar juda ko'p, kirish vaqtincha yopildi.",
      subject: '{{tenant}} hisobingizga kirish uchun xato urinishlar juda ko‘p',
      intro:
        'Kimdir {{tenant}} hisobingizga kirish uchun noto‘g‘ri kod yoki parolni juda ko‘p marta kiritdi. Kirish vaqtincha yopildi va hech kim kirmadi.',
      ifNotYou:
        'Agar bu siz bo‘lmasangiz, hozir hech narsa qilish shart emas. Kodni hech kimga bermang; kuta olmasangiz, boshqa yo‘l bilan kiring.',
    },
    address_closed: {
      sms: "{{tenant}}: 100 ta xato koddan keyin kodlar o'chirildi. Boshqa yo'l bilan kiring.",
      subject: '{{tenant}} hisobingiz manzili uchun kodlar o‘chirildi',
      intro:
        'Quyidagi manzil uchun ketma-ket yuzta noto‘g‘ri kod kiritildi. {{tenant}} endi bu manzilga kod yubormaydi va qabul qilmaydi. Hech kim kirmadi.',
      ifNotYou:
        'Boshqa yo‘l bilan kiring: boshqa manzil orqali yoki kirilgan qurilmada. Shunda kodlar yana ishlaydi. Iloji bo‘lmasa, bizga yozing.',
    },
    number_taken_over: {
      sms: "Eski raqamingiz bilan {{tenant}} hisobingizga endi kirib bo'lmaydi.",
      subject: 'Telefon raqamingiz endi {{tenant}} hisobingizga kirmaydi',
      intro:
        '{{tenant}} hisobingizdan uzoq vaqt foydalanilmadi, quyidagi telefon raqamini esa endi boshqa kishi tasdiqladi. Raqam yangi hisobga tegishli. Hisobingizda raqamdan boshqa hammasi saqlanadi va u raqam bilan hisobingizga kirib bo‘lmaydi.',
      ifNotYou:
        'Bu siz bo‘lsangiz, shu manzil bilan kiring: hisobingiz avvalgidek. Raqamni qaytarish uchun avval yangi hisobni o‘chiring yoki bizga yozing.',
    },
    already_registered: {
      sms: '{{tenant}} xizmatida hisobingiz bor. Shunchaki kiring.',
      subject: '{{tenant}} xizmatida hisobingiz allaqachon bor',
      intro:
        'Kimdir, ehtimol siz, shu manzil bilan {{tenant}} xizmatida roʻyxatdan oʻtmoqchi boʻldi. Bu manzilning hisobi bor: kiring yoki «Parolni unutdingizmi?» ni tanlang.',
      ifNotYou: 'Bu siz boʻlmasangiz, hech narsa qilish shart emas: hisobingiz oʻzgarmagan.',
    },
  },
};
